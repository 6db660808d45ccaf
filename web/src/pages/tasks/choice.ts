// Which tasks are chosen. The choice is of one list, and lasts while a person looks at one of them.
import { signal } from "@preact/signals";

import type { Status } from "../../parts/chip";
import type { Row } from "./columns";

/** The keys of the rows that are chosen, on whichever page they are. */
export const selected = signal<ReadonlySet<string>>(new Set());
/** Is `selected` while all that match are chosen: any other choice ends it. */
export const all = signal<ReadonlySet<string> | null>(null);
export const statuses = new Map<number, Status>();
let of = "";

export function clear(): void {
  selected.value = new Set();
}

/** With other filters nothing is chosen. */
export function chooseFrom(filters: string, rows: Row[]): void {
  if (of !== filters) (clear(), statuses.clear());
  of = filters;
  for (const row of rows) statuses.set(row.id, row.status);
}
