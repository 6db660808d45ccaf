import { signal } from "@preact/signals";

import { call, Problem } from "../../api/client";
import { t, type Key } from "../../i18n";
import type { Status } from "../../parts/chip";
import { doLater, tell, tellProblem } from "../../shell/toasts";
import { hash } from "../../state/location";
import { refreshAll } from "../../state/polling";
import { opens } from "../../state/session";
import type { Task } from "./path";

type Action = "pause" | "resume" | "cancel" | "retry";

/** From which states management may; docs/state_machine.md. */
const FROM: Record<Action, Status[]> = {
  pause: ["to_do", "retrying"],
  resume: ["paused"],
  retry: ["failed", "cancelled"],
  cancel: ["to_do", "retrying", "paused", "in_progress"],
};
const OPPOSITE: Partial<Record<Action, Action>> = { pause: "resume", resume: "pause" };

/** What is about to be done to which task, until it is or is undone. */
const pending = signal<ReadonlyMap<number, "cancel" | "delete">>(new Map());

/** What the state allows, for those whose token does. */
export function Actions({ task, onEdit }: { task: Task; onEdit: () => void }) {
  const { id, status } = task;
  const soon = pending.value.get(id);
  const possible = (Object.keys(FROM) as Action[]).filter((action) => FROM[action].includes(status));
  return (
    <p class="row actions">
      {opens("admin") &&
        possible.map((action) => (
          <button
            type="button"
            key={action}
            class={action === "cancel" ? "danger" : undefined}
            disabled={soon !== undefined}
            onClick={() => (action === "cancel" ? later(id, "cancel") : void act(id, action))}
          >
            {t(`task.${action}`)}
          </button>
        ))}
      {opens("client") && (
        <>
          <button type="button" disabled={soon !== undefined} onClick={onEdit}>
            {t("task.edit")}
          </button>
          <a class="button" href={hash("/submit", { from: String(id) })}>
            {t("task.copy")}
          </a>
          <button type="button" class="danger" disabled={soon !== undefined} onClick={() => later(id, "delete")}>
            {t("task.delete")}
          </button>
        </>
      )}
      {soon && <span class="quiet">{t(`task.${soon}_soon`)}</span>}
    </p>
  );
}

async function act(id: number, action: Action | "delete", canUndo = true): Promise<void> {
  try {
    if (action === "delete") await call("delete", "/tasks/{task_id}", { path: { task_id: id } });
    else await call("post", "/admin/tasks/{task_id}/{action}", { path: { task_id: id, action } });
    const back = canUndo && action !== "delete" && OPPOSITE[action];
    const said = t(`task.${action}_done`, { id: String(id) });
    tell(said, back ? { undo: () => void act(id, back, false) } : {});
  } catch (error) {
    tellRefusal(error);
  }
  await refreshAll();
}

/** What cannot be undone waits, and shows that it does. */
function later(id: number, action: "cancel" | "delete"): void {
  const mark = (isOn: boolean) => {
    const changed = new Map(pending.value);
    if (isOn) changed.set(id, action);
    else changed.delete(id);
    pending.value = changed;
  };
  mark(true);
  const run = () => void act(id, action).finally(() => mark(false));
  doLater(t(`task.${action}_later`, { id: String(id) }), run, () => mark(false));
}

/** Of a task that has moved on meanwhile, where it stands now. */
export function tellRefusal(error: unknown): void {
  const status = error instanceof Problem && error.status === 409 && error.facts.task_status;
  if (!status) return tellProblem(error);
  tell(t("task.moved_on", { status: t(`status.${status as Status}` as Key) }), { isBad: true });
}
