import { signal } from "@preact/signals";

const said = signal("");

/** Have a screen reader say it, without moving what has the focus. */
export function announce(text: string): void {
  said.value = text;
}

export function LiveRegion() {
  return (
    <div class="unseen" role="status" aria-live="polite">
      {said}
    </div>
  );
}
