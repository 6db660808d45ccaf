// What a schedule is, in words.
import type { components } from "../../api/schema";
import { span, t } from "../../i18n";
import { Chip } from "../../parts/chip";
import { hash } from "../../state/location";

export type Schedule = components["schemas"]["ScheduleDocument"];

export function hrefOf(name: string): string {
  return hash(`/schedules/${encodeURIComponent(name)}`);
}

export function Recurrence({ schedule }: { schedule: Schedule }) {
  const { cron, interval_seconds: seconds } = schedule;
  if (cron !== null) return <code>{cron}</code>;
  return <span title={`${seconds} s`}>{t("schedules.every", { span: span(seconds!) })}</span>;
}

export function StateChip({ schedule }: { schedule: Schedule }) {
  if (schedule.paused_at) return <Chip tone="off">{t("status.paused")}</Chip>;
  if (!schedule.next_at) return <Chip>{t("schedules.ended")}</Chip>;
  return <Chip tone="good">{t("schedules.active")}</Chip>;
}
