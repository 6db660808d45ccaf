import type { ComponentChildren } from "preact";

import type { components } from "../../api/schema";
import { bytes, t, type Key } from "../../i18n";
import { Chip, priorityText, StatusChip } from "../../parts/chip";
import { Menu } from "../../parts/menu";
import type { Column } from "../../parts/table";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { kept } from "../../state/preferences";

export type Row = components["schemas"]["ListedTask"];
/** The same list with one filter more. */
type Refine = (key: string, value: string) => string;

const USUAL = ["id", "title", "status", "priority", "queue", "tags", "attempt", "created_at"];

const TIMES = ["created_at", "updated_at", "available_at", "due_date", "started_at", "completed_at"] as const;

const CELLS: Record<string, (row: Row, refine: Refine) => ComponentChildren> = {
  id: (row) => row.id,
  title: (row) => (
    <a class="clip" href={hash(`/tasks/${row.id}`)} title={row.title}>
      {row.title}
    </a>
  ),
  status: (row, refine) => (
    <a href={refine("status", row.status)}>
      <StatusChip status={row.status} />
    </a>
  ),
  priority: (row, refine) => <a href={refine("priority", row.priority)}>{priorityText(row.priority)}</a>,
  queue: (row, refine) => <a href={refine("queue", row.queue)}>{row.queue}</a>,
  tags: (row, refine) =>
    row.tags.map((tag) => (
      <a class="tag" href={refine("tag", tag)} key={tag}>
        {tag}
      </a>
    )),
  attempt: (row) => row.attempt,
  ...Object.fromEntries(TIMES.map((key) => [key, (row: Row) => <Time at={row[key]} />])),
  worker: (row, refine) => (row.worker ? <a href={refine("worker", row.worker)}>{row.worker}</a> : "–"),
  error: (row) => <span class="clip" title={row.error ?? ""}>{row.error ?? "–"}</span>,
  payload: (row) => (row.payload_bytes === null ? "–" : bytes(row.payload_bytes)),
};

const chosen = kept<string[]>("tasks.columns", USUAL, (x) => Array.isArray(x) && x.some((key) => key in CELLS));

export function columnsOf(refine: Refine, isGone: (row: Row) => boolean): Column<Row>[] {
  return Object.keys(CELLS)
    .filter((key) => chosen.value.includes(key))
    .map((key, index) => ({
      key,
      title: titleOf(key),
      isNumber: key === "id" || key === "attempt" || key === "payload",
      cell: (row) => (
        <>
          {CELLS[key]!(row, refine)}
          {index === 0 && isGone(row) && (
            <>
              {" "}
              <Chip tone="off">{t("tasks.gone")}</Chip>
            </>
          )}
        </>
      ),
    }));
}

export function ChooseColumns() {
  const toggle = (key: string, isOn: boolean) => {
    const others = chosen.value.filter((each) => each !== key);
    if (isOn) chosen.value = [...others, key];
    else if (others.length) chosen.value = others;
  };
  return (
    <Menu label={t("tasks.columns")}>
      {Object.keys(CELLS).map((key) => (
        <label class="choice" key={key}>
          <input
            type="checkbox"
            checked={chosen.value.includes(key)}
            onChange={(event) => toggle(key, event.currentTarget.checked)}
          />
          {titleOf(key)}
        </label>
      ))}
    </Menu>
  );
}

function titleOf(key: string): string {
  return t(`tasks.column.${key}` as Key);
}
