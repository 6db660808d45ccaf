// Times as MySQL's clock counts them: a browser's own may be wrong by minutes.
import { signal } from "@preact/signals";

let aheadMs = 0;

/** MySQL's time, in milliseconds, moved on once a second. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + aheadMs;
}, 1000);

/** `time` was true at some moment of the call that lasted from `began` to `ended`. */
export function setClock(time: string, began: number, ended: number): void {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return;
  aheadMs = at - (began + ended) / 2;
  now.value = Date.now() + aheadMs;
}
