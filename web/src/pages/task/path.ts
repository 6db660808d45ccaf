// Which way a task has taken through its states, as far as its attempts tell: pausing and resuming
// leave no trace, a manual retry leaves one less failure than there were.
import type { Document } from "../../api/client";
import type { Status } from "../../parts/chip";

export type Task = Document<"/tasks/{task_id}">;
export type Attempt = Document<"/tasks/{task_id}/attempts">[number];
export type Step = readonly [from: Status, to: Status];

/** All that is possible; docs/state_machine.md says by whom and when. */
export const STEPS: readonly Step[] = [
  ["to_do", "in_progress"],
  ["retrying", "in_progress"],
  ["in_progress", "done"],
  ["in_progress", "retrying"],
  ["in_progress", "failed"],
  ["in_progress", "to_do"],
  ["to_do", "paused"],
  ["retrying", "paused"],
  ["paused", "to_do"],
  ["paused", "retrying"],
  ["to_do", "cancelled"],
  ["retrying", "cancelled"],
  ["paused", "cancelled"],
  ["in_progress", "cancelled"],
  ["failed", "to_do"],
  ["cancelled", "to_do"],
];

type Facts = Pick<Task, "status" | "current_retry_count">;

/** The steps, in their order. */
export function path(task: Facts, attempts: Pick<Attempt, "outcome">[]): Step[] {
  const steps: Step[] = [];
  let at = "to_do" as Status;
  const go = (to: Status) => {
    if (at !== to) steps.push([at, to]);
    at = to;
  };
  const isFailure = ({ outcome }: Pick<Attempt, "outcome">) =>
    outcome === "failed" || outcome === "timed_out" || outcome === "lost";
  // The last ones are those that count; before them somebody had it tried again.
  const isFailed = task.status === "failed";
  const failures = attempts.filter(isFailure).length;
  const cancelled = attempts.findLastIndex(({ outcome }) => outcome === "cancelled");
  const since = attempts.slice(cancelled + 1).filter(isFailure).length;
  const counted = task.current_retry_count + (isFailed ? 1 : 0);
  const lastEarlier = since > counted ? failures - counted : 0;
  let seen = 0;
  for (const attempt of attempts) {
    // Whoever cancelled it has retried it since.
    if (at === "cancelled" || at === "failed") go("to_do");
    const before = at;
    go("in_progress");
    if (attempt.outcome === "done") go("done");
    else if (attempt.outcome === "cancelled") go("cancelled");
    else if (attempt.outcome === "released") go(before);
    else if (isFailure(attempt)) {
      const isFinal = ++seen === lastEarlier || (isFailed && seen === failures);
      go(isFinal ? "failed" : "retrying");
    }
  }
  if (at === task.status) return steps;
  const isStep = (from: Status, to: Status) => STEPS.some(([a, b]) => a === from && b === to);
  if (!isStep(at, task.status) && isStep(at, "to_do")) go("to_do");
  go(task.status);
  return steps;
}
