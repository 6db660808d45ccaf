import { number, percent, t } from "../../i18n";
import { Bar } from "../../parts/bar";
import { Chip, type Status } from "../../parts/chip";
import type { Column } from "../../parts/table";
import { Span } from "../../parts/time";
import { hash } from "../../state/location";
import { count, type Queue } from "../overview/figures";

export const queueHash = (queue: string) => hash(`/queues/${queue}`);

/** What a list of queues says of each. */
export function columns(): Column<Queue>[] {
  return [
    {
      key: "queue",
      title: t("queues.queue"),
      by: (queue) => queue.queue,
      cell: (queue) => (
        <>
          <a href={queueHash(queue.queue)}>{queue.queue}</a>{" "}
          {queue.paused && <Chip tone="off">{t("status.paused")}</Chip>}
        </>
      ),
    },
    counted("waiting", t("queues.waiting"), ["to_do", "retrying"], (queue) => queue.waiting),
    {
      key: "oldest",
      title: t("queues.oldest"),
      by: (queue) => queue.oldest_waiting_seconds,
      cell: (queue) => <Span seconds={queue.oldest_waiting_seconds} />,
      isNumber: true,
    },
    counted("running", t("status.in_progress"), ["in_progress"], (queue) => queue.in_progress),
    counted("retrying", t("status.retrying"), ["retrying"], (queue) => count(queue, "retrying")),
    counted("failed", t("status.failed"), ["failed"], (queue) => count(queue, "failed")),
    {
      key: "rate",
      title: t("queues.rate"),
      by: (queue) => queue.done_per_minute,
      cell: (queue) => number(queue.done_per_minute, 1),
      isNumber: true,
    },
    {
      key: "failing",
      title: t("queues.failing"),
      by: (queue) => queue.failure_rate,
      cell: (queue) => <Failing share={queue.failure_rate} />,
      isNumber: true,
      isMinor: true,
    },
  ];
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
