// `GET /stats/history`, and what it is on a server without it.
import { Problem, queryText, send } from "./client";

export interface Bucket {
  begins_at: string;
  is_complete: boolean;
  submitted: number;
  started: number;
  done: number;
  failed: number;
  retried: number;
  wait_p50: number | null;
  wait_p95: number | null;
  run_p50: number | null;
  run_p95: number | null;
}

export interface History {
  queue: string | null;
  bucket_seconds: number;
  buckets: Bucket[];
}

/** Null: this server keeps none. */
export async function history(
  query: { queue?: string; minutes: number },
  signal: AbortSignal,
): Promise<History | null> {
  try {
    return (await send<History>("GET", `/stats/history${queryText(query)}`, { signal })).document;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 405)) return null;
    throw error;
  }
}
