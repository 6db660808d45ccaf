// Who is here, by which token, and what it opens.
import { computed, signal } from "@preact/signals";

import { get, Problem, send, useToken, whenRefused } from "../api/client";
import { setClock } from "./clock";

export type Door = "client" | "worker" | "admin" | "viewer";

/** What `GET /me` says. */
export interface Me {
  doors: Door[];
  version: string;
  time: string | null;
  redis: string;
  retention_days: number | null;
}

export type Session =
  | { state: "asking" }
  | { state: "open"; me: Me | null }
  | { state: "signed out"; problem: Problem | null }
  | { state: "failed"; problem: Problem };

const KEY = "rowlock.token";
const CLOCK_EVERY_MS = 600_000;

export const session = signal<Session>({ state: "asking" });
export const hasToken = signal(false);
export const me = computed(() => (session.value.state === "open" ? session.value.me : null));

/** Whether the token opens what this door opens. Where the server does not say, it may. */
export function opens(door: Door): boolean {
  return me.value?.doors.includes(door) ?? true;
}

/** With what was kept, if anything was, or without a token where none is needed. */
export async function resume(): Promise<void> {
  const stored = storedToken();
  take(stored);
  await ask(stored !== null);
}

export async function signIn(token: string, keeps: boolean): Promise<void> {
  take(token);
  await ask(true);
  if (session.value.state === "open" && keeps) store(token);
}

export function signOut(problem: Problem | null = null): void {
  store(null);
  take(null);
  session.value = { state: "signed out", problem };
}

whenRefused((problem) => {
  if (session.value.state === "open") signOut(problem);
});

setInterval(() => {
  if (!document.hidden && session.value.state === "open") void askMe().catch(() => undefined);
}, CLOCK_EVERY_MS);

async function ask(isWithToken: boolean): Promise<void> {
  session.value = { state: "asking" };
  try {
    session.value = { state: "open", me: await askMe() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) signOut(isWithToken ? error : null);
    else session.value = { state: "failed", problem: error };
  }
}

async function askMe(): Promise<Me | null> {
  const began = Date.now();
  try {
    const { document } = await send<Me>("GET", "/me");
    if (document.time) setClock(document.time, began, Date.now());
    return document;
  } catch (error) {
    // A server before this call was made.
    if (!(error instanceof Problem && error.status === 404)) throw error;
    await get("/stats");
    return null;
  }
}

function take(token: string | null): void {
  useToken(token);
  hasToken.value = token !== null;
}

function storedToken(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // Storage is off: it lasts as long as the page.
  }
}
