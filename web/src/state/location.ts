// The address is the view: `#/tasks?status=failed`. Relative, so that any prefix works.
import { signal } from "@preact/signals";

export interface Location {
  /** As in `/tasks/7`. */
  path: string;
  query: URLSearchParams;
}

export const location = signal<Location>(read());

addEventListener("hashchange", () => {
  location.value = read();
});

/** `#/tasks?status=failed`, for links. */
export function hash(path: string, query?: Record<string, string | string[] | null>): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null) continue;
    for (const each of Array.isArray(value) ? value : [value]) found.append(name, each);
  }
  return `#${path}${found.size ? `?${found}` : ""}`;
}

export function go(to: string): void {
  window.location.hash = to;
}

/** Change the query of the view without a step in the history: null takes a name out. */
export function refine(changes: Record<string, string | string[] | null>): void {
  const { path, query } = location.value;
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    changed.delete(name);
    if (value === null) continue;
    for (const each of Array.isArray(value) ? value : [value]) changed.append(name, each);
  }
  history.replaceState(null, "", `#${path}${changed.size ? `?${changed}` : ""}`);
  location.value = { path, query: changed };
}

function read(): Location {
  const [path = "", query = ""] = window.location.hash.slice(1).split(/\?(.*)/s);
  return { path: path || "/", query: new URLSearchParams(query) };
}
