import type { Document } from "../../api/client";
import { number, t } from "../../i18n";
import { Chip, type Tone } from "../../parts/chip";
import { Table, type Column } from "../../parts/table";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { queueHash } from "../queues/columns";

export type Worker = Document<"/admin/workers">[number];

const TONES: Record<Worker["state"], Tone> = { running: "info", polling: "good", silent: "off" };
/** A worker may poll dozens. */
const QUEUES_SHOWN = 4;

export function StateChip({ state }: { state: Worker["state"] }) {
  return <Chip tone={TONES[state]}>{t(`workers.${state}`)}</Chip>;
}

export function QueueLinks({ queues }: { queues: string[] }) {
  return (
    <>
      {queues.slice(0, QUEUES_SHOWN).map((queue) => (
        <span key={queue}>
          <a href={queueHash(queue)}>{queue}</a>{" "}
        </span>
      ))}
      {queues.length > QUEUES_SHOWN && (
        <span class="quiet" title={queues.join(" ")}>
          {t("workers.more", { n: queues.length - QUEUES_SHOWN })}
        </span>
      )}
    </>
  );
}

/** Who polls and runs what since when; those that have gone fade. */
export function WorkerTable({ workers }: { workers: Worker[] }) {
  const to = (worker: Worker) => hash(`/workers/${encodeURIComponent(worker.worker)}`);
  const columns: Column<Worker>[] = [
    {
      key: "worker",
      title: t("workers.worker"),
      by: (worker) => worker.worker,
      cell: (worker) => (
        <a class="cut" href={to(worker)}>
          {worker.worker}
        </a>
      ),
    },
    {
      key: "state",
      title: t("workers.state"),
      by: (worker) => worker.state,
      cell: (worker) => <StateChip state={worker.state} />,
    },
    {
      key: "running",
      title: t("workers.tasks"),
      by: (worker) => worker.running,
      cell: (worker) =>
        worker.running ? (
          <a href={hash("/tasks", { worker: worker.worker, status: "in_progress" })}>
            {number(worker.running)}
          </a>
        ) : (
          <span class="quiet">0</span>
        ),
      isNumber: true,
    },
    {
      key: "oldest",
      title: t("workers.oldest"),
      by: (worker) => worker.oldest_started_at,
      cell: (worker) => <Time at={worker.oldest_started_at} />,
    },
    {
      key: "seen",
      title: t("workers.last_seen"),
      by: (worker) => worker.last_seen_at,
      cell: (worker) => <Time at={worker.last_seen_at} />,
    },
    { key: "queues", title: t("queues.title"), cell: (worker) => <QueueLinks queues={worker.queues} /> },
    {
      key: "agent",
      title: t("workers.agent"),
      by: (worker) => worker.agent,
      cell: (worker) => <span class="cut">{worker.agent ?? "–"}</span>,
      isMinor: true,
    },
  ];
  return (
    <Table
      label={t("workers.title")}
      rows={workers}
      columns={columns}
      rowKey={(worker) => worker.worker}
      href={to}
      isFaded={(worker) => worker.state === "silent"}
    />
  );
}
