import { useEffect, useRef, useState } from "preact/hooks";

import { t } from "../i18n";
import { announce } from "../shell/live_region";

/** Puts a text on the clipboard. A browser gives none to a page that came by http from another
 * machine: there the text is shown, selected, to be copied by hand. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  const [isShown, setShown] = useState(false);
  const shown = useRef<HTMLInputElement>(null);
  useEffect(() => {
    shown.current?.focus();
    shown.current?.select();
  }, [isShown]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return setShown(true);
    }
    setDone(true);
    announce(t("action.copied"));
    setTimeout(() => setDone(false), 2000);
  };
  const name = label ?? t("action.copy");
  return (
    <>
      <button type="button" class="plain" onClick={() => void copy()}>
        {isDone ? t("action.copied") : name}
      </button>
      {isShown && <input readOnly ref={shown} value={text} aria-label={name} onBlur={() => setShown(false)} />}
    </>
  );
}
