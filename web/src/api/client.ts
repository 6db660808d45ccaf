// The one way to the API: fetch with the token, and what goes wrong as a Problem.
import { readDocument, type JsonText } from "../json/reader";
import type { paths } from "./schema";

type Verb = "get" | "post" | "put" | "patch" | "delete";

/** The paths of the API that this verb is for. */
export type PathOf<V extends Verb> = {
  [P in keyof paths]: paths[P][V] extends object ? P : never;
}[keyof paths];

type Operation<P extends keyof paths, V extends Verb> = NonNullable<paths[P][V]>;
type Parameters<O> = O extends { parameters: infer X } ? X : never;
type Part<O, Name extends string> =
  Parameters<O> extends { [K in Name]?: infer X } ? NonNullable<X> : never;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer X } } } ? X : never;
type Success<O> = O extends { responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 ? JsonOf<R[S]> : never }[keyof R]
  : never;
type JsonOf<R> = R extends { content: { "application/json": infer X } } ? Exact<X> : never;
/** What users stored comes as the text that it is. */
export type Exact<X> = X extends (infer I)[]
  ? Exact<I>[]
  : X extends object
    ? {
        [K in keyof X]: K extends "payload" | "result" | "progress" ? JsonText | null : Exact<X[K]>;
      }
    : X;

export type Document<P extends keyof paths, V extends Verb = "get"> = Success<Operation<P, V>>;
export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

export interface Request<P extends keyof paths, V extends Verb> {
  path?: Part<Operation<P, V>, "path">;
  query?: Part<Operation<P, V>, "query">;
  body?: Body<Operation<P, V>>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface Answer<T> {
  document: T;
  status: number;
  headers: Headers;
  /** The address of the next page, by the header Link. */
  next: string | null;
}

/** What the server refused or could not do, as its problem document says it. */
export class Problem extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;
  /** The whole document. */
  readonly facts: Record<string, unknown>;

  constructor(status: number, facts: Record<string, unknown> = {}, headers?: Headers) {
    super(String(facts.detail ?? facts.title ?? ""));
    this.status = status;
    this.facts = facts;
    this.title = String(facts.title ?? "");
    this.detail = String(facts.detail ?? "");
    this.requestId = headers?.get("X-Request-Id") ?? null;
    const wait = Number(headers?.get("Retry-After"));
    this.retryAfterSeconds = wait > 0 ? wait : null;
  }

  get fields(): { field: string; message: string }[] {
    return (this.facts.errors as { field: string; message: string }[] | undefined) ?? [];
  }
}

let token: string | null = null;
let onRefusal: (problem: Problem) => void = () => undefined;

export function useToken(given: string | null): void {
  // A header takes no character beyond a byte; the server reads the bytes of UTF-8.
  token = given === null ? null : String.fromCharCode(...new TextEncoder().encode(given));
}

/** Have it called when a token is no longer, or not at all, good for a call (401). */
export function whenRefused(call: (problem: Problem) => void): void {
  onRefusal = call;
}

/** A call that the OpenAPI document has; its answer is of the type that it says. */
export async function call<P extends keyof paths, V extends Verb>(
  verb: V,
  path: P,
  request: Request<P, V> = {},
): Promise<Answer<Document<P, V>>> {
  const address = String(path).replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((request.path as Record<string, unknown>)[name])),
  );
  return send<Document<P, V>>(
    verb.toUpperCase(),
    address + queryText(request.query as Query | undefined),
    request,
  );
}

export function get<P extends PathOf<"get">>(path: P, request: Request<P, "get"> = {}) {
  return call("get", path, request);
}

export function queryText(query: Query | undefined): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) found.append(name, String(each));
  }
  return found.size ? `?${found}` : "";
}

/** `address` is a path of the API, or what a header Link said. */
export async function send<T>(
  method: string,
  address: string,
  options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  const request: RequestInit = { method, headers, signal: options.signal ?? null };
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    request.body =
      typeof options.body === "string" ? options.body : JSON.stringify(options.body);
  }
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(urlOf(address), request);
    text = await answer.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0);
  }
  if (!answer.ok) {
    const problem = problemOf(answer, text);
    if (answer.status === 401) onRefusal(problem);
    throw problem;
  }
  const document = (text === "" ? null : readDocument(text)) as T;
  return { document, status: answer.status, headers: answer.headers, next: nextOf(answer.headers, address) };
}

/** The page is at PREFIX/ui/, whatever the prefix, and so the API is one up. */
export function urlOf(address: string): string {
  return new URL(`../${address.replace(/^\//, "")}`, document.baseURI.split(/[?#]/)[0]).href;
}

function problemOf(answer: Response, text: string): Problem {
  let facts: Record<string, unknown> = {};
  try {
    facts = readDocument(text) as Record<string, unknown>;
  } catch {
    // A proxy's page, say.
  }
  return new Problem(answer.status, { title: answer.statusText, ...facts }, answer.headers);
}

function nextOf(headers: Headers, address: string): string | null {
  const link = /<([^>]*)>;\s*rel="?next"?/.exec(headers.get("Link") ?? "")?.[1];
  if (link === undefined) return null;
  const url = new URL(link, `http://rowlock.invalid/${address.replace(/^\//, "")}`);
  return url.pathname + url.search;
}
