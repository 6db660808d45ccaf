import { get, type Document } from "../../api/client";
import { distance, number, span, t, type Key } from "../../i18n";
import type { Status, Tone } from "../../parts/chip";
import { Loaded } from "../../parts/states";
import { now } from "../../state/clock";
import { hash } from "../../state/location";
import { useResource } from "../../state/polling";
import type { Task } from "./path";

export type Reason = Document<"/tasks/{task_id}/why">["reasons"][number];
type Known = Pick<Task, "queue" | "current_retry_count" | "retry_limit">;

const TONES: Partial<Record<Reason["reason"], Tone>> = {
  no_scheduler: "bad",
  row_locked: "bad",
  no_worker: "warn",
  queue_paused: "warn",
  unknown: "warn",
  held: "info",
  due: "good",
};

/** What is in its way, the most decisive first. */
export function Why({ task }: { task: Task }) {
  const { id, status, updated_at } = task;
  const isEnded = ["done", "failed", "cancelled"].includes(status);
  const why = useResource(
    `why ${id} ${updated_at}`,
    async (signal) => (await get("/tasks/{task_id}/why", { path: { task_id: id }, signal })).document,
    // Of what has ended there is no more to say.
    { everySeconds: isEnded ? Infinity : 0, keepsOld: true },
  );
  return (
    <section class="why">
      <h2>{t(isEnded || status === "in_progress" ? "task.now" : "task.why")}</h2>
      <Loaded resource={why}>
        {({ reasons, status: then }) => (
          <ul class="findings">
            {reasons.map((reason, index) => (
              <li class={`finding ${TONES[reason.reason] ?? "off"}`} data-reason={reason.reason} key={index}>
                <p>{sentences(reason, task, then).join(" ")}</p>
                {reason.reason === "queue_paused" && (
                  <a href={hash(`/queues/${encodeURIComponent(task.queue)}`)}>{task.queue}</a>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  );
}

/** A reason with its numbers, in the language of the page. `status` is the task's at that moment. */
export function sentences(reason: Reason, task: Known, status: Status): string[] {
  const away = (at: string) => (Date.parse(at) - now.value) / 1000;
  const when = (at: string) => distance(away(at));
  const lasted = (at: string) => span(Math.max(-away(at), 0));
  const { queue } = task;
  switch (reason.reason) {
    case "ended": {
      const values = { when: when(reason.since), used: task.current_retry_count, limit: task.retry_limit };
      return [t(`why.ended_${status}` as Key, values)];
    }
    case "paused":
      return [t("why.paused", { when: when(reason.since) })];
    case "held": {
      const { worker, attempt, last_heartbeat_at, ends_at, ends_as, becomes } = reason;
      const said = [t("why.held", { worker: worker ?? "?", attempt, span: lasted(reason.started_at) })];
      if (last_heartbeat_at) said.push(t("why.held_heard", { when: when(last_heartbeat_at) }));
      const values = {
        when: when(ends_at),
        outcome: t(`outcome.${ends_as}`),
        status: t(`status.${becomes as Status}` as Key),
      };
      return [...said, t(away(ends_at) > 0 ? "why.held_until" : "why.held_over", values)];
    }
    case "waits_for_tasks": {
      const { unmet, total, at_least, parents } = reason;
      if (unmet === 0) return [t("why.waits_for_tasks_over")];
      const tasks = parents.map(({ id, status }) => `#${id} (${t(`status.${status}`)})`).join(", ");
      return [t("why.waits_for_tasks", { n: unmet, total: at_least ? `${number(total)}+` : total, tasks })];
    }
    case "waits_for_slot": {
      const { group, held, running_limit, ahead, at_least } = reason;
      const whose = group === null ? t("why.slot_of_queue", { queue }) : t("why.slot_of_group", { group });
      const isFull = running_limit !== null && held >= running_limit;
      const values = { whose, held: number(held), limit: number(running_limit ?? 0) };
      const said = [t(isFull ? "why.waits_for_slot" : "why.waits_for_slot_free", values)];
      if (ahead === 0) return [...said, t("why.slot_next")];
      return [...said, t("why.slot_ahead", { n: at_least ? `${number(ahead)}+` : number(ahead) })];
    }
    case "not_yet": {
      const { until, retry, retry_limit } = reason;
      const values = { when: when(until), retry: retry ?? 0, limit: retry_limit ?? 0 };
      if (away(until) <= 0) return [t("why.not_yet_over", values)];
      return [t(retry === null ? "why.not_yet" : "why.not_yet_retry", values)];
    }
    case "no_scheduler":
      return reason.last_run_at === null
        ? [t("why.no_scheduler_ever")]
        : [t("why.no_scheduler", { span: lasted(reason.last_run_at) })];
    case "queue_paused":
      return [t("why.queue_paused", { queue, span: lasted(reason.since) })];
    case "row_locked":
      return [t(status === "in_progress" ? "why.row_locked_running" : "why.row_locked")];
    case "no_worker": {
      const { last_poll_at, in_progress } = reason;
      const said =
        last_poll_at === null
          ? t("why.no_worker", { queue })
          : t("why.no_worker_since", { queue, span: lasted(last_poll_at) });
      return in_progress ? [said, t("why.no_worker_busy", { n: in_progress })] : [said];
    }
    case "behind": {
      const { tasks, at_least, ended_per_minute, expected_at } = reason;
      const said = [t(at_least ? "why.behind_at_least" : "why.behind", { n: tasks })];
      if (ended_per_minute === 0) said.push(t("why.behind_still"));
      else if (ended_per_minute !== null) said.push(t("why.behind_pace", { n: number(ended_per_minute, 1) }));
      if (expected_at) said.push(t("why.behind_expected", { when: when(expected_at) }));
      return said;
    }
    case "due":
      return [t("why.due", { span: lasted(reason.since) })];
    case "unknown":
      return [t(`why.unknown_${reason.part}`)];
  }
}
