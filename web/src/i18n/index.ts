// Texts, numbers and times in the language that the person has chosen.
import { effect, signal } from "@preact/signals";

import { language, type Language } from "../state/preferences";
import type { Key } from "./en";

export type { Key } from "./en";

// A file each, so that nobody loads the other.
const CATALOGUES: Record<Language, () => Promise<Record<Key, string>>> = {
  en: async () => (await import("./en")).en,
  zh: async () => (await import("./zh")).zh,
};
const LOCALES = { en: "en", zh: "zh-CN" };
const shown = signal<{ language: Language; texts: Record<Key, string> } | null>(null);

/** Resolves once there are texts. From then on they follow the language chosen. */
export function loadTexts(): Promise<void> {
  return new Promise((resolve, reject) => {
    effect(() => {
      const chosen = language.value;
      CATALOGUES[chosen]().then((texts) => {
        if (chosen === language.peek()) shown.value = { language: chosen, texts };
        resolve();
      }, reject);
    });
  });
}

/** A text, with what stands in its braces filled in; numbers as the language writes them. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return shown.value!.texts[key].replace(/\{(\w+)\}/g, (_, name: string) => {
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
  return LOCALES[shown.value!.language];
}
