// What the overview makes of the figures of the queues.
import type { Document } from "../../api/client";
import type { components } from "../../api/schema";
import { now } from "../../state/clock";

export type Queue = components["schemas"]["QueueDocument"];
export type Readiness = components["schemas"]["ReadinessDocument"];
export type Status = components["schemas"]["Status"];
export type History = Document<"/stats/history">;
type Worker = components["schemas"]["WorkerDocument"];
type Sweep = components["schemas"]["SweepDocument"];
type Examined = components["schemas"]["FindingDocument"];

/** A wait that is longer is worth a look, where nothing says what is usual. */
const LONG_WAIT_SECONDS = 300;
/** Or so many times the wait of the slowest twentieth in the last hour. */
const UNUSUAL = 3;
const FAILING_SHARE = 0.1;
/** Two failures of two attempts are no trend. */
const FAILING_ATTEMPTS = 5;
/** The server hears of a new worker up to 40 s late. */
const UNSERVED_SECONDS = 60;
/** Who has been silent for longer was stopped, and somebody knows. */
const SILENT_NEWS_SECONDS = 900;
/** The slowest sweep runs each minute. */
const STOPPED_SECONDS = 180;
/** What has not run for a day is a sweep of another version. */
const FORGOTTEN_SECONDS = 86_400;

export type Finding =
  | { kind: "examined"; examined: Examined }
  | { kind: "no scheduler"; detail: string }
  | { kind: "stopped"; sweep: Sweep }
  | { kind: "redis"; detail: string }
  | { kind: "unserved"; queue: Queue }
  | { kind: "failing"; queue: Queue; share: number }
  | { kind: "oldest"; queue: Queue; seconds: number }
  | { kind: "silent"; workers: Worker[] }
  | { kind: "paused"; queue: Queue };

interface Known {
  queues: Queue[];
  history: History | null;
  readiness: Readiness | null;
  /** Null: not known, or not all of them. */
  workers: Worker[] | null;
  sweeps: Sweep[];
  examined: Examined[];
}

/** What needs a person, the most urgent first. */
export function findings(known: Known): Finding[] {
  const { queues, history, readiness, workers } = known;
  const found: Finding[] = [];
  for (const examined of known.examined) {
    // Of Redis the readiness knows sooner.
    if (examined.verdict === "bad" && examined.what !== "Redis") {
      found.push({ kind: "examined", examined });
    }
  }
  const parts = readiness?.parts as Record<string, string> | undefined;
  const isSwept = parts?.scheduler === "ok";
  if (parts && !isSwept && parts.scheduler !== "unknown") {
    found.push({ kind: "no scheduler", detail: parts.scheduler ?? "" });
  }
  for (const sweep of isSwept ? known.sweeps : []) {
    const age = ageOf(sweep.last_run_at);
    if (age > STOPPED_SECONDS && age < FORGOTTEN_SECONDS) found.push({ kind: "stopped", sweep });
  }
  if (parts?.redis?.startsWith("degraded")) found.push({ kind: "redis", detail: parts.redis });

  const late = queues
    .filter((queue) => !queue.paused && queue.oldest_waiting_seconds !== null)
    .sort((a, b) => b.oldest_waiting_seconds! - a.oldest_waiting_seconds!);
  const unserved = late.filter(
    (queue) => queue.oldest_waiting_seconds! > UNSERVED_SECONDS && isUnserved(queue.queue, workers),
  );
  for (const queue of unserved) found.push({ kind: "unserved", queue });
  const failing = queues
    .filter((queue) => queue.recent_failed_attempts >= FAILING_ATTEMPTS)
    .filter((queue) => (queue.failure_rate ?? 0) >= FAILING_SHARE)
    .sort((a, b) => b.recent_failed_attempts - a.recent_failed_attempts);
  for (const queue of failing) found.push({ kind: "failing", queue, share: queue.failure_rate! });
  const usual = Math.max(0, ...(history?.buckets ?? []).map((bucket) => bucket.wait_p95 ?? 0));
  const long = Math.max(LONG_WAIT_SECONDS, usual * UNUSUAL);
  for (const queue of late) {
    const seconds = queue.oldest_waiting_seconds!;
    if (seconds > long && !unserved.includes(queue)) found.push({ kind: "oldest", queue, seconds });
  }
  const silent = (workers ?? []).filter(
    (worker) => worker.state === "silent" && ageOf(worker.last_seen_at) < SILENT_NEWS_SECONDS,
  );
  if (silent.length) found.push({ kind: "silent", workers: silent });
  for (const queue of queues.filter((each) => each.paused && each.waiting > 0)) {
    found.push({ kind: "paused", queue });
  }
  return found;
}

/** Of a worker without queues it is not known which it polls. */
function isUnserved(queue: string, workers: Worker[] | null): boolean {
  if (workers === null) return false;
  return !workers.some(
    ({ state, queues }) => state !== "silent" && (queues.length === 0 || queues.includes(queue)),
  );
}

function ageOf(at: string): number {
  return (now.value - Date.parse(at)) / 1000;
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
