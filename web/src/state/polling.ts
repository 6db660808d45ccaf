// What is shown is asked for anew by one clock for the whole page: every few seconds, never while
// nobody sees it, never while a person is choosing rows or answering a dialog, and seldom enough
// that a page which is only open costs the server little.
import { effect, signal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { Problem } from "../api/client";
import { interval } from "./preferences";

/** Of a page that nobody touches. */
const CALLS_A_MINUTE = 20;
const TOUCHED_FOR_MS = 60_000;

export interface State<T> {
  /** What was answered last; it stays when a later call fails. */
  data: T | null;
  /** When that was, by this browser's clock. */
  at: number | null;
  problem: Problem | null;
  isLoading: boolean;
}

export interface Resource<T> {
  state: Signal<State<T>>;
  /** Ask now. */
  refresh: () => Promise<void>;
}

interface Source {
  load: (signal: AbortSignal) => Promise<unknown>;
  state: Signal<State<unknown>>;
  users: number;
  waits: boolean;
  everyMs: number;
  dueAt: number;
  under: AbortController | null;
}

const sources = new Map<string, Source>();
const holds = signal(0);
let touchedAt = performance.now();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Why nothing is asked for at the moment, or null. */
export const pause = signal<"off" | "held" | null>(null);

/** Have the page as it is until the returned function is called. */
export function hold(): () => void {
  holds.value++;
  let isHeld = true;
  return () => {
    if (isHeld) holds.value--;
    isHeld = false;
  };
}

/** The page stays as it is while this component shows and `isHeld`. */
export function useHold(isHeld: boolean): void {
  useEffect(() => (isHeld ? hold() : undefined), [isHeld]);
}

interface Choices {
  everySeconds?: number;
  keepsOld?: boolean;
  waits?: boolean;
}

/**
 * What `load` answers, asked for anew as the person wants; parts of a page that use the same key
 * share the calls. `everySeconds` is the least time between two, for what changes slowly;
 * Infinity: only by `refresh`. With `keepsOld`, what another key had stays until this one's is
 * there: of a list whose filters change. While it `waits`, it is not asked for at all.
 */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everySeconds = 0, keepsOld = false, waits = false }: Choices = {},
): Resource<T> {
  const last = useRef<Source | null>(null);
  const old = keepsOld ? (last.current?.state.peek().data ?? null) : null;
  const source = sourceOf(key, everySeconds, old);
  last.current = source;
  source.load = load;
  useEffect(() => {
    source.users++;
    source.waits = waits;
    sources.set(key, source);
    if (!waits && source.dueAt <= performance.now() && !document.hidden) void ask(source);
    plan();
    return () => {
      source.users--;
      if (source.users > 0) return;
      source.under?.abort();
      if (sources.get(key) === source) sources.delete(key);
      plan();
    };
  }, [source, waits]);
  return { state: source.state as Signal<State<T>>, refresh: () => ask(source) };
}

/** How often a person, or what a person did, has asked for all anew. */
export const refreshes = signal(0);

/** Ask for all that the page shows, now. */
export async function refreshAll(): Promise<void> {
  refreshes.value++;
  await Promise.all([...sources.values()].filter(({ waits }) => !waits).map(ask));
}

function sourceOf(key: string, everySeconds: number, old: unknown): Source {
  const known = sources.get(key);
  if (known) return known;
  const source: Source = {
    load: () => Promise.resolve(null),
    state: signal({ data: old, at: null, problem: null, isLoading: true }),
    users: 0,
    waits: false,
    everyMs: everySeconds * 1000,
    dueAt: 0,
    under: null,
  };
  sources.set(key, source);
  return source;
}

async function ask(source: Source): Promise<void> {
  source.under?.abort();
  const under = new AbortController();
  source.under = under;
  source.dueAt = Infinity;
  source.state.value = { ...source.state.peek(), isLoading: true };
  let wait = 0;
  try {
    const data = await source.load(under.signal);
    if (under.signal.aborted) return;
    source.state.value = { data, at: Date.now(), problem: null, isLoading: false };
  } catch (error) {
    if (under.signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    wait = (error.retryAfterSeconds ?? 0) * 1000;
    source.state.value = { ...source.state.peek(), problem: error, isLoading: false };
  }
  source.under = null;
  source.dueAt = performance.now() + Math.max(source.everyMs, periodMs(), wait);
  plan();
}

/** How long from one call to the next, of what follows the person's choice. */
function periodMs(): number {
  const chosen = interval.peek() * 1000;
  if (performance.now() - touchedAt < TOUCHED_FOR_MS) return chosen;
  let left = CALLS_A_MINUTE;
  let follow = 0;
  for (const source of sources.values()) {
    if (source.everyMs > chosen) left -= 60_000 / source.everyMs;
    else follow++;
  }
  return Math.max(chosen, (60_000 * follow) / Math.max(left, 1));
}

function plan(): void {
  clearTimeout(timer);
  if (document.hidden || pause.peek() !== null) return;
  const shown = [...sources.values()].filter(({ users, waits }) => users > 0 && !waits);
  const nextAt = Math.min(...shown.map((source) => source.dueAt));
  if (nextAt === Infinity) return;
  timer = setTimeout(run, Math.max(nextAt - performance.now(), 50));
}

function run(): void {
  const at = performance.now();
  for (const source of sources.values()) {
    // What is due soon comes along: the page changes once, not part by part.
    if (source.users > 0 && !source.waits && source.dueAt <= at + 300) void ask(source);
  }
  plan();
}

effect(() => {
  pause.value = interval.value === 0 ? "off" : holds.value > 0 ? "held" : null;
});

effect(() => {
  const chosen = interval.value * 1000;
  if (pause.value !== null) return clearTimeout(timer);
  const latest = performance.now() + chosen;
  for (const source of sources.values()) {
    if (source.everyMs === 0 && source.dueAt !== Infinity) source.dueAt = Math.min(source.dueAt, latest);
  }
  plan();
});

document.addEventListener("visibilitychange", plan);
for (const touch of ["pointermove", "pointerdown", "keydown", "wheel"]) {
  addEventListener(touch, () => (touchedAt = performance.now()), { passive: true, capture: true });
}
