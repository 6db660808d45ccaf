import type { ComponentChildren } from "preact";

import { t, type Key } from "../i18n";
import type { components } from "../api/schema";

export type Status = components["schemas"]["Status"];
export type Priority = components["schemas"]["Priority"];
export type Tone = "neutral" | "info" | "good" | "warn" | "bad" | "off";

const TONES: Record<Status, Tone> = {
  to_do: "neutral",
  in_progress: "info",
  retrying: "warn",
  paused: "off",
  done: "good",
  failed: "bad",
  cancelled: "off",
};

/** A word with a colour; the word says it too. */
export function Chip({ tone = "neutral", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

export function StatusChip({ status }: { status: Status }) {
  return <Chip tone={TONES[status]}>{t(`status.${status}` as Key)}</Chip>;
}

export function priorityText(priority: Priority): string {
  return t(`priority.${priority}` as Key);
}
