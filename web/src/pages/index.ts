// The pages, in the order of the navigation. A new one is a line here, a file beside this one, and
// its texts in i18n/.
import type { ComponentType } from "preact";

import type { Key } from "../i18n";
import { Overview } from "./overview/page";
import { Queues } from "./queues/page";
import { Schedules } from "./schedules/page";
import { Submit } from "./submit/page";
import { System } from "./system/page";
import { Tasks } from "./tasks/page";
import { Workers } from "./workers/page";

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
  { path: "/queues", letter: "q", title: "queues.title", component: Queues },
  { path: "/tasks", letter: "t", title: "tasks.title", component: Tasks },
  { path: "/workers", letter: "w", title: "workers.title", component: Workers },
  { path: "/schedules", letter: "c", title: "schedules.title", component: Schedules },
  { path: "/system", letter: "y", title: "system.title", component: System },
  { path: "/submit", letter: "n", title: "submit.title", component: Submit },
];

/** The page at this path, and what of the path follows its own. */
export function pageAt(path: string): { page: Page; rest: string } | null {
  const [, first = "", rest = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const page = PAGES.find((each) => each.path === `/${first}`);
  return page ? { page, rest } : null;
}
