// What the overview makes of the figures of the queues.
import type { components } from "../../api/schema";
import type { History } from "../../api/history";

export type Queue = components["schemas"]["QueueDocument"];
export type Readiness = components["schemas"]["ReadinessDocument"];
export type Status = components["schemas"]["Status"];

/** A wait that is longer is worth a look, where nothing says what is usual. */
const LONG_WAIT_SECONDS = 300;
/** Or so many times the wait of the slowest twentieth in the last hour. */
const UNUSUAL = 3;
const FAILING_SHARE = 0.1;
/** Two failures of two attempts are no trend. */
const FAILING_ATTEMPTS = 5;

export type Finding =
  | { kind: "no scheduler"; detail: string }
  | { kind: "redis"; detail: string }
  | { kind: "oldest"; queue: Queue; seconds: number }
  | { kind: "failing"; queue: Queue; share: number }
  | { kind: "paused"; queue: Queue };

/** What needs a person, the most urgent first. */
export function findings(
  queues: Queue[],
  readiness: Readiness | null,
  history: History | null,
): Finding[] {
  const found: Finding[] = [];
  const parts = readiness?.parts as Record<string, string> | undefined;
  if (parts && parts.scheduler !== "ok" && parts.scheduler !== "unknown") {
    found.push({ kind: "no scheduler", detail: parts.scheduler ?? "" });
  }
  if (parts?.redis?.startsWith("degraded")) found.push({ kind: "redis", detail: parts.redis });
  const usual = Math.max(0, ...(history?.buckets ?? []).map((bucket) => bucket.wait_p95 ?? 0));
  const long = Math.max(LONG_WAIT_SECONDS, usual * UNUSUAL);
  const failing = queues
    .filter((queue) => queue.recent_failed_attempts >= FAILING_ATTEMPTS)
    .filter((queue) => (queue.failure_rate ?? 0) >= FAILING_SHARE)
    .sort((a, b) => b.recent_failed_attempts - a.recent_failed_attempts);
  for (const queue of failing) found.push({ kind: "failing", queue, share: queue.failure_rate! });
  const late = queues
    .filter((queue) => !queue.paused && (queue.oldest_waiting_seconds ?? 0) > long)
    .sort((a, b) => b.oldest_waiting_seconds! - a.oldest_waiting_seconds!);
  for (const queue of late) {
    found.push({ kind: "oldest", queue, seconds: queue.oldest_waiting_seconds! });
  }
  for (const queue of queues.filter((each) => each.paused && each.waiting > 0)) {
    found.push({ kind: "paused", queue });
  }
  return found;
}

/** Tasks of a status, of all priorities. */
export function count(queue: Queue, status: Status): number {
  return Object.values(queue.tasks[status] ?? {}).reduce((sum, each) => sum + each, 0);
}

export function sum(queues: Queue[], of: (queue: Queue) => number): number {
  return queues.reduce((total, queue) => total + of(queue), 0);
}

/** Of all attempts of the last minutes, those that failed. */
export function failureRate(queues: Queue[]): number | null {
  const failed = sum(queues, (queue) => queue.recent_failed_attempts);
  const all = failed + sum(queues, (queue) => queue.recent_done);
  return all ? failed / all : null;
}
