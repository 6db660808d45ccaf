import { get, type Document } from "../../api/client";
import { t } from "../../i18n";
import { priorityText, StatusChip, type Priority } from "../../parts/chip";
import { Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { useResource } from "../../state/polling";
import { sum, type Queue } from "../overview/figures";
import { sentences } from "../task/why";

const SHOWN = 5;
/** Some of them may wait for their time. */
const LOOKED_AT = 50;
const EVERY_SECONDS = 20;

/** Those that are claimed next, and why the first one has not been. */
export function HeadOfLine({ queue }: { queue: Queue }) {
  const first = (["高", "中", "低"] as Priority[]).find(
    (priority) =>
      sum([queue], ({ tasks }) => (tasks.to_do?.[priority] ?? 0) + (tasks.retrying?.[priority] ?? 0)),
  );
  const key = `head of ${queue.queue} ${first}`;
  const head = useResource(key, (signal) => headOf(queue.queue, first!, signal), {
    everySeconds: EVERY_SECONDS,
    keepsOld: true,
  });
  return (
    <section>
      <h2>
        {t("queues.head")} <small>{t("queues.head_about")}</small>
      </h2>
      <Loaded resource={head}>
        {(tasks) => (
          <>
            {tasks[0] && <Why task={tasks[0]} />}
            <Table
              label={t("queues.head")}
              rows={tasks}
              rowKey={(task) => String(task.id)}
              href={(task) => hash(`/tasks/${task.id}`)}
              columns={[
                {
                  key: "id",
                  title: t("queues.task"),
                  cell: (task) => (
                    <a class="cut" href={hash(`/tasks/${task.id}`)}>
                      {task.id} {task.title}
                    </a>
                  ),
                },
                { key: "status", title: t("queues.status"), cell: (task) => <StatusChip status={task.status} /> },
                { key: "priority", title: t("queues.priority"), cell: (task) => priorityText(task.priority) },
                { key: "created", title: t("queues.created"), cell: (task) => <Time at={task.created_at} /> },
                {
                  key: "available",
                  title: t("queues.available"),
                  cell: (task) => <Time at={task.waiting_on === "time" ? task.available_at : null} />,
                },
              ]}
            />
          </>
        )}
      </Loaded>
    </section>
  );
}

type Task = Document<"/tasks">[number];

function Why({ task }: { task: Task }) {
  const { id } = task;
  const why = useResource(
    `why ${id}`,
    (signal) => get("/tasks/{task_id}/why", { path: { task_id: id }, signal }),
    { everySeconds: EVERY_SECONDS },
  );
  const found = why.state.value.data?.document;
  return found?.reasons.map((reason) => (
    <p class="finding off" data-reason={reason.reason} key={reason.reason}>
      <strong>{id}</strong> {sentences(reason, task, found.status).join(" ")}
    </p>
  ));
}

async function headOf(queue: string, priority: Priority, signal: AbortSignal) {
  const { document } = await get("/tasks", {
    query: {
      queue: [queue],
      status: ["to_do", "retrying"],
      priority: [priority],
      order: "asc",
      view: "summary",
      limit: LOOKED_AT,
    },
    signal,
  });
  const due = document.filter((task) => task.waiting_on === null);
  return (due.length ? due : document).slice(0, SHOWN);
}
