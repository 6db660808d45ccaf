import { useState } from "preact/hooks";

import { get } from "../../api/client";
import { t } from "../../i18n";
import { Chip, priorityText, StatusChip } from "../../parts/chip";
import { CopyButton } from "../../parts/copy_button";
import { Empty, Loaded } from "../../parts/states";
import { hash } from "../../state/location";
import { useHold, useResource } from "../../state/polling";
import { me } from "../../state/session";
import { Actions } from "./actions";
import { Attempts, useAttempts } from "./attempts";
import { Details, Value } from "./details";
import { Diagram } from "./diagram";
import { Edit } from "./edit";
import { Lease } from "./lease";
import type { Task } from "./path";
import { isRelated, RelativesSection } from "./relatives";
import { Why } from "./why";

/** All of one task, and what can be done with it. */
export function TaskPage({ id }: { id: string }) {
  // Any other is an id of no task, and what a number cannot hold would become another one's.
  return /^[1-9]\d{0,14}$/.test(id) ? <Known id={Number(id)} /> : <Gone id={id} />;
}

function Known({ id }: { id: number }) {
  const task = useResource(
    `task ${id}`,
    async (signal) => (await get("/tasks/{task_id}", { path: { task_id: id }, signal })).document,
  );
  if (task.state.value.problem?.status === 404) return <Gone id={String(id)} />;
  return <Loaded resource={task}>{(found) => <Shown task={found} key={found.id} />}</Loaded>;
}

function Gone({ id }: { id: string }) {
  const days = me.value?.retention_days;
  return (
    <Empty>
      <p>
        {t("task.gone", { id })} {days ? t("task.gone_kept", { days }) : ""}
      </p>
      <a href={hash("/tasks")}>{t("task.all")}</a>
    </Empty>
  );
}

function Shown({ task }: { task: Task }) {
  const [isEdited, setEdited] = useState(false);
  const [isFlow] = useState(isRelated(task));
  const { resource, address, setAddress } = useAttempts(task);
  const answer = resource.state.value.data;
  useHold(isEdited);
  return (
    <>
      <section class="task">
        <p class="row quiet">
          <a href={hash("/tasks")}>← {t("task.all")}</a>
          <span>#{task.id}</span>
          <CopyButton text={String(task.id)} />
        </p>
        <h2>{task.title}</h2>
        <p class="row">
          <StatusChip status={task.status} />
          <a href={hash("/tasks", { queue: task.queue })}>{task.queue}</a>
          <span>{t("task.priority", { priority: priorityText(task.priority) })}</span>
          {task.tags.map((tag) => (
            <a href={hash("/tasks", { tag })} key={tag}>
              <Chip>{tag}</Chip>
            </a>
          ))}
        </p>
        {isEdited ? (
          <Edit task={task} onClose={() => setEdited(false)} />
        ) : (
          <Actions task={task} onEdit={() => setEdited(true)} />
        )}
      </section>
      <Why task={task} />
      {task.status === "in_progress" && <Lease task={task} />}
      {isFlow && <RelativesSection task={task} isOpenAtFirst />}
      {task.progress && <Value name="progress" value={task.progress} />}
      <section>
        <h2>{t("task.path")}</h2>
        <Diagram task={task} attempts={address === null ? (answer?.document ?? []) : []} />
      </section>
      <Loaded resource={resource}>
        {(found) => <Attempts answer={found} address={address} setAddress={setAddress} />}
      </Loaded>
      {!isFlow && <RelativesSection task={task} isOpenAtFirst={false} />}
      <div class="pair">
        <Value name="payload" value={task.payload} />
        <Value name="result" value={task.result} />
      </div>
      <Details task={task} />
    </>
  );
}
