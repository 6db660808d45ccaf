import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { compare, t } from "../i18n";
import { location, refine } from "../state/location";
import { useHold } from "../state/polling";

export interface Column<Row> {
  /** In the address, where the list is sorted by it: `?sort=-waiting`. */
  key: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** By what it is sorted; without it, it is not. */
  by?: (row: Row) => string | number | null;
  isNumber?: boolean;
  /** Left out where there is little room. */
  isMinor?: boolean;
}

interface Props<Row> {
  /** What it lists, for a screen reader. */
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  /** Where a row leads, as a hash; Enter opens it. */
  href?: (row: Row) => string;
  /** Whether a row is there only for the record. */
  isFaded?: (row: Row) => boolean;
  /** The keys of the rows that are chosen; with it, rows can be. */
  selected?: Signal<ReadonlySet<string>>;
}

/** Rows, kept by their keys; sorted in the page, where a column says by what. */
export function Table<Row>({ label, rows, columns, rowKey, href, isFaded, selected }: Props<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const anchor = useRef<number | null>(null);
  const sort = location.value.query.get("sort") ?? "";
  const shown = sorted(rows, columns, sort);
  useHold(selected !== undefined && selected.value.size > 0);
  useEffect(() => {
    // One row at a time is in the order of Tab, as in a list box; j and k move on.
    const all = [...body.current!.rows];
    if (!all.some((row) => row.tabIndex === 0) && all[0]) all[0].tabIndex = 0;
  });

  const choose = (index: number, isOn: boolean, isRange: boolean) => {
    const changed = new Set(selected!.value);
    const from = isRange && anchor.current !== null ? anchor.current : index;
    for (let at = Math.min(from, index); at <= Math.max(from, index); at++) {
      const key = rowKey(shown[at]!);
      if (isOn) changed.add(key);
      else changed.delete(key);
    }
    anchor.current = index;
    selected!.value = changed;
  };
  const chooseAll = (isOn: boolean) => {
    const changed = new Set(selected!.value);
    for (const row of shown) isOn ? changed.add(rowKey(row)) : changed.delete(rowKey(row));
    selected!.value = changed;
  };
  const isAll = shown.length > 0 && shown.every((row) => selected?.value.has(rowKey(row)));

  return (
    <div class="table" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {selected && (
              <th class="choice">
                <input
                  type="checkbox"
                  aria-label={t("table.select_all")}
                  checked={isAll}
                  onChange={(event) => chooseAll(event.currentTarget.checked)}
                />
              </th>
            )}
            {columns.map((column) => (
              <Head column={column} sort={sort} key={column.key} />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {shown.map((row, index) => {
            const key = rowKey(row);
            const isOn = selected?.value.has(key) ?? false;
            return (
              <tr
                key={key}
                data-row={key}
                data-href={href?.(row)}
                tabIndex={-1}
                class={isOn ? "chosen" : isFaded?.(row) ? "faded" : undefined}
              >
                {selected && (
                  <td class="choice">
                    <input
                      type="checkbox"
                      aria-label={t("table.select", { name: key })}
                      checked={isOn}
                      onClick={(event) =>
                        choose(index, event.currentTarget.checked, event.shiftKey)
                      }
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.key} class={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Head<Row>({ column, sort }: { column: Column<Row>; sort: string }) {
  const isDown = sort === `-${column.key}`;
  const isUp = sort === column.key;
  const next = isDown ? column.key : isUp ? null : `-${column.key}`;
  return (
    <th
      class={classOf(column)}
      scope="col"
      aria-sort={isDown ? "descending" : isUp ? "ascending" : undefined}
    >
      {column.by ? (
        <button
          type="button"
          title={t("table.sort", { column: column.title })}
          onClick={() => refine({ sort: next })}
        >
          {column.title}
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

function classOf<Row>(column: Column<Row>): string | undefined {
  const names = [column.isNumber && "number", column.isMinor && "minor"].filter(Boolean);
  return names.length ? names.join(" ") : undefined;
}

function sorted<Row>(rows: Row[], columns: Column<Row>[], sort: string): Row[] {
  const isDown = sort.startsWith("-");
  const by = columns.find((column) => column.key === sort.replace("-", ""))?.by;
  if (!by) return rows;
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    // What has no value comes last, whichever way.
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    const order = typeof a === "string" ? compare(a, String(b)) : a - Number(b);
    return isDown ? -order : order;
  });
}
