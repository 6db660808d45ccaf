// Who is here, by which token, and what it opens.
import { computed, signal } from "@preact/signals";

import { get, Problem, useToken, whenRefused, type Document } from "../api/client";
import { setClock } from "./clock";

export type Me = Document<"/me">;
export type Door = Me["doors"][number];

export type Session =
  | { state: "asking" }
  | { state: "open"; me: Me }
  | { state: "signed out"; problem: Problem | null }
  | { state: "failed"; problem: Problem };

const KEY = "rowlock.token";
const CLOCK_EVERY_MS = 600_000;

export const session = signal<Session>({ state: "asking" });
export const hasToken = signal(false);
export const me = computed(() => (session.value.state === "open" ? session.value.me : null));

/** Whether the token opens what this door opens. */
export function opens(door: Door): boolean {
  return me.value?.doors.includes(door) ?? false;
}

/** Whether it may look at what only the admin and the viewer door show. */
export function oversees(): boolean {
  return opens("admin") || opens("viewer");
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

async function askMe(): Promise<Me> {
  const began = Date.now();
  const { document } = await get("/me");
  if (document.time) setClock(document.time, began, Date.now());
  return document;
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
