// Rows that stay where they are while the list is asked for anew.
import { useRef, useState } from "preact/hooks";

import type { Row } from "./columns";

export interface Listed {
  rows: Row[];
  /** The address of the next page. */
  next: string | null;
  /** The address of this one. */
  here: string;
  /** Filters and order: other ones than those of the page while theirs are asked for. */
  list: string;
  /** Of which view and of which time of asking; another one is shown as it came. */
  of: string;
}

interface Shown {
  of: string;
  rows: Row[];
}

/** What is shown of a list: each row as it is now, in its place; how many are new, and which no
 * longer match; and a way to have the list as it came. */
export function useSteadyRows(listed: Listed, by: "created_at" | "available_at", isAscending: boolean) {
  const shown = useRef<Shown>({ of: "", rows: [] });
  const [, showAgain] = useState({});
  if (shown.current.of !== listed.of || shown.current.rows.length === 0) {
    shown.current = { of: listed.of, rows: listed.rows };
  }
  const fresh = new Map(listed.rows.map((row) => [row.id, row]));
  const known = new Set(shown.current.rows.map((row) => row.id));
  const rows = (shown.current.rows = shown.current.rows.map((row) => fresh.get(row.id) ?? row));
  const last = listed.next === null ? undefined : listed.rows.at(-1);
  const isBefore = (a: Row, b: Row) => {
    const [x, y] = [String(a[by]), String(b[by])];
    return (x === y ? a.id < b.id : x < y) === isAscending;
  };
  // One that the list should have and does not have; others were only pushed on to the next page.
  const gone = new Set(
    rows.filter((row) => !fresh.has(row.id) && (!last || isBefore(row, last))).map((row) => row.id),
  );
  const news = listed.rows.filter((row) => !known.has(row.id)).length;
  const take = () => {
    shown.current = { of: listed.of, rows: listed.rows };
    showAgain({});
  };
  return { rows, gone, news, isMore: news === listed.rows.length && last !== undefined, take };
}
