// What a form holds of a task, all as texts: checked here as far as a person can be told in their
// language, and written as JSON in which no digit of the payload is lost.
import { FIELDS, PATCHABLE } from "../api/fields";
import type { Document, Problem } from "../api/client";
import { number, t } from "../i18n";
import { faultAt } from "../json/fault";
import { layOut } from "../json/layout";

export type Name = keyof typeof FIELDS;
export type Values = Record<Name, string>;
export type Faults = Record<string, string>;
type Task = Document<"/tasks/{task_id}">;

interface Field {
  kind: "text" | "long" | "choice" | "number" | "time" | "tags" | "ids" | "json";
  isRequired?: boolean;
  usual?: unknown;
  choices?: readonly string[];
  least?: number;
  most?: number;
  longest?: number;
  pattern?: string;
  /** The object that it is a field of. */
  group?: string;
}

/** Of what may happen to a task whose key is held, this is said by other fields than the rest. */
const DEBOUNCE = "debounce";
/** Where the form asks otherwise than the API. */
const ASKED: Partial<Record<Name, Partial<Field>>> = {
  "unique.conflict": { choices: [...FIELDS["unique.conflict"].choices, DEBOUNCE], usual: "keep" },
  "unique.debounce_seconds": { isRequired: true },
  on_parent_failure: { usual: "cancel" },
};
const isFilled = (values: Values, name: Name) => values[name].trim() !== "";
const hasKey = (values: Values) => isFilled(values, "unique.key");
const isPutOff = (values: Values) => hasKey(values) && values["unique.conflict"] === DEBOUNCE;
/** What the API takes only together with something else, or without it. */
const TAKEN: Partial<Record<Name, (values: Values) => boolean>> = {
  "unique.while": (values) => hasKey(values) && !isPutOff(values),
  "unique.conflict": hasKey,
  "unique.debounce_seconds": isPutOff,
  "unique.debounce_limit_seconds": isPutOff,
  available_at: (values) => !isPutOff(values),
  on_parent_failure: (values) => isFilled(values, "depends_on"),
  blocks: (values) => !isFilled(values, "depends_on"),
};

const ORDER: readonly string[] = ["title", "queue", "priority", "tags", "payload", "description", "available_at"];
const place = (name: string) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);

/** In the order of the form. */
export const NAMES = (Object.keys(FIELDS) as Name[]).sort((a, b) => place(a) - place(b));
export const fieldOf = (name: Name): Field => ({ ...FIELDS[name], ...ASKED[name] });

/** Those that there are to fill in, as the others stand. */
export function taken(names: Name[], values: Values): Name[] {
  return names.filter((name) => TAKEN[name]?.(values) ?? true);
}

/** What PATCH takes of a task: what a running attempt was given, or an ended one used, is history. */
export function editable(task: Task): Name[] {
  const isWaiting = ["to_do", "retrying", "paused"].includes(task.status);
  return NAMES.filter(
    (name) =>
      (PATCHABLE as readonly string[]).includes(name) &&
      (isWaiting || !/^(timeout_|retry_|payload)/.test(name)),
  );
}

export function valuesOf(task: Partial<Task> = {}): Values {
  const found = NAMES.map((name) => {
    const { kind, usual } = fieldOf(name);
    const value = (name in task ? task[name as keyof Task] : usual) ?? null;
    if (kind === "tags") return [name, JSON.stringify(value)];
    if (kind === "ids") return [name, ""];
    if (value === null) return [name, ""];
    if (kind === "json") return [name, formatted(String(value))];
    return [name, kind === "time" ? localText(String(value)) : String(value)];
  });
  return Object.fromEntries(found) as Values;
}

/** The body of a call with these fields; what is empty is null, or left out if `isNew`. */
export function bodyOf(values: Values, names: Name[], isNew: boolean): string {
  const said = taken(names, values)
    .filter((name) => !isNew || isFilled(values, name) || fieldOf(name).isRequired)
    .filter((name) => name !== "unique.conflict" || !isPutOff(values));
  const parts = new Map<string, string[]>();
  for (const name of said) {
    const { group = "" } = fieldOf(name);
    const own = name.slice(group === "" ? 0 : group.length + 1);
    parts.set(group, [...(parts.get(group) ?? []), `${JSON.stringify(own)}:${textOf(name, values[name])}`]);
  }
  const groups = [...parts].map(([group, of]) => (group ? `${JSON.stringify(group)}:{${of.join()}}` : of.join()));
  return `{${groups.filter((text) => text !== "").join()}}`;
}

function textOf(name: Name, text: string): string {
  const { kind } = fieldOf(name);
  if (kind === "tags") return text;
  if (text.trim() === "" && kind !== "choice") return name === "title" ? '""' : "null";
  if (kind === "json" || (kind === "number" && /^\s*\d+\s*$/.test(text))) return text.trim();
  if (kind === "ids" && idsIn(text)) return JSON.stringify(idsIn(text));
  const moment = kind === "time" ? new Date(text) : null;
  return JSON.stringify(moment && !Number.isNaN(+moment) ? moment.toISOString() : text);
}

export function faultsOf(values: Values, names: Name[]): Faults {
  const found = taken(names, values).map((name) => [name, faultOf(fieldOf(name), values[name])]);
  return Object.fromEntries(found.filter(([, fault]) => fault !== null));
}

function faultOf(field: Field, text: string): string | null {
  const { kind, most = Infinity, least = 0, longest = Infinity } = field;
  if (text.trim() === "") return field.isRequired ? t("form.required") : null;
  if (kind === "json") return jsonFault(text);
  if (kind === "tags") {
    const tags = JSON.parse(text) as string[];
    if (tags.length > most) return t("form.too_many", { most });
    return tags.some((tag) => [...tag].length > longest) ? t("form.too_long", { most: longest }) : null;
  }
  if (kind === "ids") {
    const ids = idsIn(text);
    if (ids === null) return t("form.ids");
    return ids.length > most ? t("form.too_many", { most: number(most) }) : null;
  }
  if (kind === "number") {
    const value = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most ? null : rangeText(field);
  }
  if (kind === "text" && [...text.trim()].length > most) return t("form.too_long", { most });
  if (kind === "long" && sizeOf(text) > most) return t("form.too_large", { most });
  if (field.pattern && !new RegExp(field.pattern).test(text)) return t("hint.queue");
  return null;
}

/** By field of the form, what the server refused of it. */
export function faultsIn(problem: Problem): Faults {
  const found: Faults = {};
  for (const { field, message } of problem.fields) {
    const name = NAMES.find((each) => each === field || each === field.split(".")[0]);
    if (!name) return {};
    found[name] ??= message;
  }
  return found;
}

/** Ids with commas or blanks between them; null where something else is among them. */
function idsIn(text: string): number[] | null {
  const ids = text.split(/[\s,，、]+/).filter((word) => word !== "");
  return ids.every((word) => /^[1-9]\d{0,14}$/.test(word)) ? ids.map(Number) : null;
}

export function rangeText({ least = 0, most = 0 }: Field): string {
  return t("form.range", { least: number(least), most: number(most) });
}

/** What is wrong with a JSON text, and where. */
export function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    const before = text.slice(0, faultAt(text)).split("\n");
    return t("form.json", { line: before.length, column: before.at(-1)!.length + 1 });
  }
}

/** A JSON text with a line for each of its parts. */
export function formatted(text: string): string {
  return layOut(text, Infinity)
    .lines.map(({ depth, tokens }) => "  ".repeat(depth) + tokens.map((token) => token.text).join(""))
    .join("\n");
}

export function sizeOf(text: string): number {
  return new Blob([text]).size;
}

/** As a browser's field for times has it: local, to the second. */
function localText(at: string): string {
  const moment = new Date(at);
  return new Date(+moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
