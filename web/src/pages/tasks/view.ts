// What of the list is shown: filters, order and page, all in the address.
import { urlOf } from "../../api/client";
import { hasToken } from "../../state/session";
import type { Filter } from "./filters";
import { resolved } from "./filters";

export const ORDERS = ["", "order=asc", "order_by=available_at&order=asc"];

/** How the list is ordered, as one of `ORDERS` if a person chose it here. */
export function orderOf(query: URLSearchParams): string {
  const kept = [...query].filter(([key, value]) => (key === "order" && value !== "desc") || key === "order_by");
  return String(new URLSearchParams(kept.sort().reverse()));
}

/** Parts of a query, those that are not empty. */
export function joined(...parts: (string | URLSearchParams)[]): string {
  return parts.map(String).filter(Boolean).join("&");
}

export function link(filters: Filter[], order = ""): string {
  const query = joined(new URLSearchParams(filters), order);
  return query ? `#/tasks?${query}` : "#/tasks";
}

/** The page that the header Link names. Its spans of time are moments: only so they stay. */
export function linkTo(next: string): string {
  const query = new URLSearchParams(next.split("?")[1]);
  query.delete("limit");
  query.delete("view");
  return `#/tasks?${query}`;
}

export function asCurl(filters: Filter[], order: string): string {
  const query = joined(resolved(filters), order);
  const token = hasToken.value ? ' -H "Authorization: Bearer $ROWLOCK_TOKEN"' : "";
  return `curl -s${token} ${quoted(urlOf("/tasks") + (query ? `?${query}` : ""))}`;
}

export function asCommand(filters: Filter[], order: string): string {
  const options = [...filters, ...new URLSearchParams(order)].map(
    ([key, value]) => ` --${key.replace("_", "-")}=${quoted(value)}`,
  );
  return `rowlock list --url=${quoted(urlOf("/").replace(/\/$/, ""))}${options.join("")}`;
}

function quoted(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}
