import { number, percent, t } from "../../i18n";
import { Bar } from "../../parts/bar";
import { Chip, type Status } from "../../parts/chip";
import { Table, type Column } from "../../parts/table";
import { Span } from "../../parts/time";
import { hash } from "../../state/location";
import { count, type Queue } from "./figures";

/** The queues, those first whose tasks have waited longest. */
export function Queues({ queues }: { queues: Queue[] }) {
  const columns: Column<Queue>[] = [
    {
      key: "queue",
      title: t("overview.queue"),
      by: (queue) => queue.queue,
      cell: (queue) => (
        <>
          <a href={hash("/tasks", { queue: queue.queue })}>{queue.queue}</a>{" "}
          {queue.paused && <Chip tone="off">{t("status.paused")}</Chip>}
        </>
      ),
    },
    {
      key: "oldest",
      title: t("overview.oldest_waiting"),
      by: (queue) => queue.oldest_waiting_seconds,
      cell: (queue) => <Span seconds={queue.oldest_waiting_seconds} />,
      isNumber: true,
    },
    counted("waiting", t("overview.waiting"), ["to_do", "retrying"], (queue) => queue.waiting),
    counted("running", t("overview.running"), ["in_progress"], (queue) => queue.in_progress),
    counted("retrying", t("overview.retrying"), ["retrying"], (queue) => count(queue, "retrying")),
    counted("failed", t("overview.failed"), ["failed"], (queue) => count(queue, "failed")),
    {
      key: "rate",
      title: t("overview.done_rate"),
      by: (queue) => queue.done_per_minute,
      cell: (queue) => number(queue.done_per_minute, 1),
      isNumber: true,
    },
    {
      key: "failing",
      title: t("overview.failure_rate"),
      by: (queue) => queue.failure_rate,
      cell: (queue) => <Failing share={queue.failure_rate} />,
      isNumber: true,
      isMinor: true,
    },
  ];
  const rows = [...queues].sort(
    (a, b) => (b.oldest_waiting_seconds ?? -1) - (a.oldest_waiting_seconds ?? -1),
  );
  return (
    <section>
      <h2>{t("overview.queues")}</h2>
      <Table
        label={t("overview.queues")}
        rows={rows}
        columns={columns}
        rowKey={(queue) => queue.queue}
        href={(queue) => hash("/tasks", { queue: queue.queue })}
      />
    </section>
  );
}

function counted(
  key: string,
  title: string,
  status: Status[],
  of: (queue: Queue) => number,
): Column<Queue> {
  return {
    key,
    title,
    by: of,
    cell: (queue) =>
      of(queue) ? (
        <a href={hash("/tasks", { queue: queue.queue, status })}>{number(of(queue))}</a>
      ) : (
        <span class="quiet">0</span>
      ),
    isNumber: true,
  };
}

function Failing({ share }: { share: number | null }) {
  if (share === null) return <span class="quiet">–</span>;
  return (
    <>
      {share > 0 && <Bar share={share} tone="bad" label={percent(share)} />} {percent(share)}
    </>
  );
}
