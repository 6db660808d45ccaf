// Keys for those who do not use a mouse. They mean nothing while a person writes.
import { signal } from "@preact/signals";

import { PAGES } from "../pages";
import { go } from "../state/location";
import { refreshAll } from "../state/polling";

export const showsHelp = signal(false);

const GO_WITHIN_MS = 1500;
let wentAt = -Infinity;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const isGoing = event.timeStamp - wentAt < GO_WITHIN_MS;
  wentAt = -Infinity;
  if (isGoing) {
    const page = PAGES.find((each) => each.letter === event.key);
    if (page) return taken(event, () => go(page.path));
  }
  const action = ACTIONS[event.key];
  if (action) taken(event, action);
});

const ACTIONS: Record<string, () => unknown> = {
  g: () => (wentAt = performance.now()),
  r: () => void refreshAll(),
  "?": () => (showsHelp.value = true),
  "/": () => document.querySelector<HTMLElement>("[data-filter]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => row()?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click(),
  Enter: open,
};

function taken(event: KeyboardEvent, action: () => unknown): void {
  if (event.key === "Enter" && document.activeElement !== row()) return;
  event.preventDefault();
  action();
}

function row(): HTMLTableRowElement | null {
  return document.activeElement?.closest<HTMLTableRowElement>("tr[data-row]") ?? null;
}

function move(by: number): void {
  const rows = [...document.querySelectorAll<HTMLTableRowElement>("main tr[data-row]")];
  const at = rows.indexOf(row()!);
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  if (!next) return;
  for (const each of rows) each.tabIndex = each === next ? 0 : -1;
  next.focus();
}

function open(): void {
  const to = row()?.dataset.href;
  if (to) go(to);
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) ||
      (target instanceof HTMLInputElement && target.type !== "checkbox"))
  );
}
