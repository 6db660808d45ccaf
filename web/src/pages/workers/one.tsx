import { get, type Document } from "../../api/client";
import { t } from "../../i18n";
import { Empty, Loaded } from "../../parts/states";
import { Table, type Column } from "../../parts/table";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { useResource } from "../../state/polling";
import { queueHash } from "../queues/columns";
import { QueueLinks, StateChip } from "./table";

type Details = Document<"/admin/workers/{worker}">;
type Held = Details["leases"][number];

/** A worker, and what it is at. */
export function OneWorker({ name }: { name: string }) {
  const worker = useResource(
    `worker ${name}`,
    async (signal) => (await get("/admin/workers/{worker}", { path: { worker: name }, signal })).document,
  );
  return (
    <Loaded resource={worker}>
      {(found) => (
        <>
          <section class="row">
            <strong class="name">{found.worker}</strong>
            <StateChip state={found.state} />
            <a href={hash("/tasks", { worker: found.worker })}>{t("workers.all_tasks")}</a>
            <a href={hash("/workers")}>{t("workers.all")}</a>
          </section>
          <section>
            <dl class="facts">
              <dt>{t("queues.title")}</dt>
              <dd>
                <QueueLinks queues={found.queues} />
              </dd>
              <dt>{t("workers.agent")}</dt>
              <dd>{found.agent ?? "–"}</dd>
              <dt>{t("workers.address")}</dt>
              <dd>{found.address ?? "–"}</dd>
              <dt>{t("workers.first_seen")}</dt>
              <dd>
                <Time at={found.first_seen_at} />
              </dd>
              <dt>{t("workers.last_seen")}</dt>
              <dd>
                <Time at={found.last_seen_at} />
              </dd>
            </dl>
          </section>
          <section>
            <h2>{t("workers.leases")}</h2>
            {found.leases.length ? (
              <Table
                label={t("workers.leases")}
                rows={found.leases}
                columns={columns()}
                rowKey={(task) => String(task.task_id)}
                href={(task) => hash(`/tasks/${task.task_id}`)}
              />
            ) : (
              <Empty>
                <p>{t("workers.no_leases")}</p>
              </Empty>
            )}
            {found.running > found.leases.length && (
              <p class="quiet">{t("workers.more", { n: found.running - found.leases.length })}</p>
            )}
          </section>
        </>
      )}
    </Loaded>
  );
}

function columns(): Column<Held>[] {
  return [
    {
      key: "task",
      title: t("queues.task"),
      by: (task) => task.task_id,
      cell: (task) => (
        <a class="cut" href={hash(`/tasks/${task.task_id}`)}>
          {task.task_id} {task.title}
        </a>
      ),
    },
    {
      key: "queue",
      title: t("queues.queue"),
      by: (task) => task.queue,
      cell: (task) => <a href={queueHash(task.queue)}>{task.queue}</a>,
    },
    { key: "attempt", title: t("workers.attempt"), by: (task) => task.attempt, cell: (task) => task.attempt, isNumber: true },
    {
      key: "started",
      title: t("workers.started"),
      by: (task) => task.started_at,
      cell: (task) => <Time at={task.started_at} />,
    },
    {
      key: "deadline",
      title: t("workers.deadline"),
      by: (task) => task.deadline,
      cell: (task) => <Time at={task.deadline} />,
    },
  ];
}
