// Texts, numbers and times in the language that the person has chosen.
import { language } from "../state/preferences";
import { en, type Key } from "./en";
import { zh } from "./zh";

export type { Key } from "./en";

const CATALOGUES = { en, zh };
const LOCALES = { en: "en", zh: "zh-CN" };

/** A text, with what stands in its braces filled in; numbers as the language writes them. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return CATALOGUES[language.value][key].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

export function percent(value: number): string {
  const digits = value > 0 && value < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(value);
}

export function bytes(value: number): string {
  const [size, unit] =
    value < 1024 ? [value, "B"] : value < 1024 ** 2 ? [value / 1024, "KiB"] : [value / 1024 ** 2, "MiB"];
  return `${number(size, unit === "B" ? 0 : 1)} ${unit}`;
}

/** A span as its largest unit: "3 min". */
export function span(seconds: number): string {
  if (seconds < 1) return t("time.seconds", { n: number(seconds, 1) });
  if (seconds < 90) return t("time.seconds", { n: Math.round(seconds) });
  if (seconds < 90 * 60) return t("time.minutes", { n: Math.round(seconds / 60) });
  if (seconds < 36 * 3600) return t("time.hours", { n: number(seconds / 3600, 1) });
  return t("time.days", { n: number(seconds / 86_400, 1) });
}

/** How long before or after now: "3 min ago". */
export function distance(seconds: number): string {
  if (Math.abs(seconds) < 1) return t("time.now");
  return t(seconds < 0 ? "time.ago" : "time.in", { span: span(Math.abs(seconds)) });
}

/** A moment in this browser's zone; its hours are from 0 to 23, which nobody mistakes. */
export function localTime(at: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), { hourCycle: "h23", ...options }).format(at);
}

/** To be sorted as people of the language would. */
export function compare(a: string, b: string): number {
  return a.localeCompare(b, locale(), { numeric: true });
}

function locale(): string {
  return LOCALES[language.value];
}
