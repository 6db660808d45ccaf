import { number, t } from "../../i18n";
import { priorityText, StatusChip, type Priority, type Status } from "../../parts/chip";
import { Table, type Column } from "../../parts/table";
import { hash } from "../../state/location";
import type { Queue } from "../overview/figures";

interface Row {
  status: Status;
  counts: Partial<Record<Priority, number>>;
  all: number;
}

const PRIORITIES: Priority[] = ["高", "中", "低"];

/** How many tasks there are of each status and priority, each number a way to them. */
export function Matrix({ queue }: { queue: Queue }) {
  const rows = Object.entries(queue.tasks).map(([status, counts]) => ({
    status: status as Status,
    counts: counts!,
    all: Object.values(counts!).reduce((sum, each) => sum + each, 0),
  }));
  const cell = (row: Row, n: number, priority?: Priority) =>
    n ? (
      <a
        href={hash("/tasks", { queue: queue.queue, status: row.status, priority: priority ?? null })}
      >
        {number(n)}
      </a>
    ) : (
      <span class="quiet">0</span>
    );
  const columns: Column<Row>[] = [
    { key: "status", title: t("queues.status"), cell: (row) => <StatusChip status={row.status} /> },
    ...PRIORITIES.map((priority) => ({
      key: priority,
      title: priorityText(priority),
      cell: (row: Row) => cell(row, row.counts[priority] ?? 0, priority),
      isNumber: true,
    })),
    { key: "all", title: t("queues.sum"), cell: (row) => cell(row, row.all), isNumber: true },
  ];
  return (
    <section>
      <h2>{t("queues.matrix")}</h2>
      <Table label={t("queues.matrix")} rows={rows} columns={columns} rowKey={(row) => row.status} />
    </section>
  );
}
