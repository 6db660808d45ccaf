import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { t } from "../i18n";
import { useHold } from "../state/polling";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons beside "Close". */
  actions?: ComponentChildren;
  closeLabel?: string;
}

/** Over the page, which stays as it is meanwhile. */
export function Dialog({ title, onClose, children, actions, closeLabel }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useHold(true);
  useEffect(() => {
    element.current!.showModal();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose}>
      <form method="dialog">
        <h2 id={id}>{title}</h2>
        <div class="content">{children}</div>
        <div class="buttons">
          <button type="submit">{closeLabel ?? t("action.close")}</button>
          {actions}
        </div>
      </form>
    </dialog>
  );
}

interface Question {
  title: string;
  /** What will be so after it: numbers, not "Are you sure?". */
  children: ComponentChildren;
  confirm: string;
  isDangerous?: boolean;
  /** It cannot be confirmed as it is. */
  isDisabled?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

export function ConfirmDialog(question: Question) {
  const { title, children, confirm, isDangerous, isDisabled, onConfirm, onClose } = question;
  const act = () => {
    onConfirm();
    onClose();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      closeLabel={t("action.cancel")}
      actions={
        <button
          type="button"
          class={isDangerous ? "danger" : "main"}
          disabled={isDisabled}
          onClick={act}
        >
          {confirm}
        </button>
      }
    >
      {children}
    </Dialog>
  );
}
