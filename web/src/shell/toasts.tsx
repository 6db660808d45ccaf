// What has just happened or is about to, with a way back.
import { signal } from "@preact/signals";

import { Problem } from "../api/client";
import { t } from "../i18n";
import { announce } from "./live_region";
import { problemText } from "../parts/states";

const SECONDS = 8;

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
  actions: { label: string; run: () => void }[];
}

const toasts = signal<Toast[]>([]);
let lastId = 0;

/** Say it for some seconds; with `undo`, offer the way back. */
export function tell(text: string, options: { isBad?: boolean; undo?: () => void } = {}): void {
  const { isBad = false, undo } = options;
  show(text, isBad, undo ? [{ label: t("action.undo"), run: undo }] : [], () => undefined);
}

export function tellProblem(error: unknown): void {
  if (!(error instanceof Problem)) throw error;
  tell(problemText(error), { isBad: true });
}

/** Do it in a few seconds, unless it is undone; at once if asked to, or if the page is left. */
export function doLater(text: string, run: () => void, undone?: () => void): void {
  let isDecided = false;
  const decide = (isToRun: boolean) => {
    if (isDecided) return;
    isDecided = true;
    removeEventListener("pagehide", now);
    if (isToRun) run();
    else undone?.();
  };
  const now = () => decide(true);
  addEventListener("pagehide", now);
  show(
    text,
    false,
    [
      { label: t("action.undo"), run: () => decide(false) },
      { label: t("action.now"), run: now },
    ],
    now,
  );
}

function show(text: string, isBad: boolean, actions: Toast["actions"], atEnd: () => void): void {
  const id = ++lastId;
  const remove = () => {
    clearTimeout(timer);
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  };
  const timer = setTimeout(() => (remove(), atEnd()), SECONDS * 1000);
  const closing = actions.map(({ label, run }) => ({ label, run: () => (remove(), run()) }));
  const close = { label: t("action.close"), run: remove };
  toasts.value = [...toasts.value, { id, text, isBad, actions: actions.length ? closing : [close] }];
  announce(text);
}

export function Toasts() {
  return (
    <aside class="toasts" aria-label={t("app.notices")}>
      {toasts.value.map((toast) => (
        <div class={toast.isBad ? "toast bad" : "toast"} key={toast.id}>
          <span>{toast.text}</span>
          {toast.actions.map((action) => (
            <button type="button" class="plain" key={action.label} onClick={action.run}>
              {action.label}
            </button>
          ))}
        </div>
      ))}
    </aside>
  );
}
