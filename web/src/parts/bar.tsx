import type { Tone } from "./chip";

/** How much of a whole, 0 to 1. */
export function Bar({ share, label, tone = "info" }: { share: number; label: string; tone?: Tone }) {
  const percent = Math.round(Math.min(Math.max(share, 0), 1) * 1000) / 10;
  return (
    <span class={`bar ${tone}`} role="img" aria-label={label}>
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}
