import { useState } from "preact/hooks";

import { t } from "../i18n";
import { announce } from "../shell/live_region";

/** Puts a text on the clipboard. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    announce(t("action.copied"));
    setTimeout(() => setDone(false), 2000);
  };
  return (
    <button type="button" class="plain" onClick={() => void copy()}>
      {isDone ? t("action.copied") : (label ?? t("action.copy"))}
    </button>
  );
}
