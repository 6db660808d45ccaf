// The filters of a list: as a person writes them, as the address has them, and as the API takes them.
import { t } from "../../i18n";
import { now } from "../../state/clock";

/** A name and one value; what takes several values has several of these. */
export type Filter = [key: string, value: string];

export const STATUSES = ["to_do", "in_progress", "retrying", "paused", "done", "failed", "cancelled"];
const PRIORITIES: Record<string, string> = { high: "高", medium: "中", low: "低" };
const SEVERAL = ["status", "priority", "queue", "tag", "id"];
const TIMES = ["created", "due", "completed", "available"].flatMap((of) => [`${of}_after`, `${of}_before`]);
const KEYS = [...SEVERAL, "title", "worker", ...TIMES];

const PART = /(?:([a-z_]+):\s*)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;
const AGO = /^(\d+)([smhd])$/;
const MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function filtersOf(query: URLSearchParams): Filter[] {
  return [...query].filter(([key]) => KEYS.includes(key));
}

/** Whether no index finds them, so that MySQL may look until it is cut off: not to be asked again
 * and again. Those in progress are few. */
export function isSearch(filters: Filter[]): boolean {
  const asked = filters.map(([key, value]) => (key === "status" ? `status ${value}` : key));
  const isOfRunning = asked.filter((key) => key.startsWith("status ")).join() === "status in_progress";
  return asked.some(
    (key) => key === "title" || /^(completed|available)_/.test(key) || (key === "worker" && !isOfRunning),
  );
}

/** `filters` and what the text adds to them; or, as a text, why it cannot be. */
export function read(text: string, filters: Filter[]): Filter[] | string {
  let found = filters;
  const words: string[] = [];
  for (const [, key, quoted, word = ""] of text.trim().matchAll(PART)) {
    const value = quoted?.replace(/\\(.)/g, "$1") ?? word;
    if (key === undefined && quoted === undefined && KEYS.includes(word.replace(/:$/, "")) && word.endsWith(":"))
      return t("tasks.no_value", { key: word });
    if (key === undefined || key === "title") words.push(value);
    else if (!KEYS.includes(key)) return t("tasks.no_such_key", { key, quoted: `"${key}:${value}"` });
    else {
      const several = SEVERAL.includes(key) && key !== "tag" && quoted === undefined;
      for (const each of several ? value.split(",") : [value]) {
        const fit = fitted(key, each);
        if (fit === null) return t("tasks.not_fit", { key, value: each });
        found = withFilter(found, key, fit);
      }
    }
  }
  const title = words.join(" ").trim();
  return title ? withFilter(found, "title", title) : found;
}

/** One more value where there may be several, else another one. */
export function withFilter(filters: Filter[], key: string, value: string): Filter[] {
  const kept = filters.filter(([k, v]) => k !== key || (SEVERAL.includes(key) && v !== value));
  return [...kept, [key, value]];
}

/** As `read` takes it. */
export function written([key, value]: Filter): string {
  return `${key}:${/^[^\s",]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
}

/** What may follow what is written so far. `values` are those that the rows have. */
export function completions(text: string, values: (key: string) => string[]): string[] {
  const [, before = "", last = ""] = /^(.*?)(\S*)$/s.exec(text) ?? [];
  const key = /^([a-z_]+):/.exec(last)?.[1];
  if (key === undefined) return KEYS.filter((each) => each.startsWith(last)).map((each) => `${before}${each}:`);
  const known =
    key === "status" ? STATUSES
    : key === "priority" ? Object.values(PRIORITIES)
    : TIMES.includes(key) ? ["15m", "1h", "24h", "7d"]
    : values(key);
  return known.map((value) => before + written([key, value])).filter((each) => each.startsWith(text));
}

/** For the API: a span such as `24h` as the moment that it means now. */
export function resolved(filters: Filter[]): URLSearchParams {
  return new URLSearchParams(
    filters.map(([key, value]) => {
      const [, n, unit] = (TIMES.includes(key) && AGO.exec(value)) || [];
      if (!unit) return [key, value];
      const ms = Number(n) * MS[unit]!;
      const at = new Date(now.peek() + (/^(due|av)/.test(key) ? ms : -ms));
      return [key, isNaN(at.getTime()) ? value : at.toISOString()];
    }),
  );
}

export function isTime(key: string): boolean {
  return TIMES.includes(key);
}

function fitted(key: string, value: string): string | null {
  if (key === "status") return STATUSES.includes(value) ? value : null;
  if (key === "priority") {
    const name = PRIORITIES[value] ?? value;
    return Object.values(PRIORITIES).includes(name) ? name : null;
  }
  if (key === "id") return /^[1-9]\d*$/.test(value) ? value : null;
  if (!TIMES.includes(key) || AGO.test(value)) return value || null;
  // A date alone is of the person's day, not of UTC's.
  const at = new Date(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00` : value);
  return isNaN(at.getTime()) ? null : at.toISOString();
}
