// The pages, in the order of the navigation. A new one is a line here and in others.ts, a folder beside
// this file, and its texts in i18n/.
import type { ComponentType } from "preact";

import type { Key } from "../i18n";
import { later } from "./later";
import { Overview } from "./overview/page";

export interface Page {
  path: string;
  /** `g` and this letter lead to it. */
  letter: string;
  title: Key;
  /** `rest` is what follows the path: `7` of `/tasks/7`, or empty. */
  component: ComponentType<{ rest: string }>;
}

export const PAGES: Page[] = [
  { path: "/", letter: "o", title: "overview.title", component: Overview },
  { path: "/queues", letter: "q", title: "queues.title", component: later("Queues") },
  { path: "/tasks", letter: "t", title: "tasks.title", component: later("Tasks") },
  { path: "/workers", letter: "w", title: "workers.title", component: later("Workers") },
  { path: "/schedules", letter: "c", title: "schedules.title", component: later("Schedules") },
  { path: "/system", letter: "y", title: "system.title", component: later("System") },
  { path: "/submit", letter: "n", title: "submit.title", component: later("Submit") },
];

/** The page at this path, and what of the path follows its own. */
export function pageAt(path: string): { page: Page; rest: string } | null {
  const [, first = "", rest = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const page = PAGES.find((each) => each.path === `/${first}`);
  return page ? { page, rest } : null;
}
