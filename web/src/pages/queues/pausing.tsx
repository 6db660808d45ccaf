import { call } from "../../api/client";
import { t } from "../../i18n";
import { refreshAll } from "../../state/polling";
import { opens } from "../../state/session";
import { tell, tellProblem } from "../../shell/toasts";

/** Stops a queue from handing out tasks, or lets it; nothing for those who may only look. */
export function PauseButton({ queue, isPaused }: { queue: string; isPaused: boolean }) {
  if (!opens("admin")) return null;
  return (
    <button type="button" onClick={() => void set(queue, !isPaused)}>
      {t(isPaused ? "queues.resume" : "queues.pause")}
    </button>
  );
}

async function set(queue: string, isPaused: boolean, isUndo = false): Promise<void> {
  try {
    const path = { name: queue };
    await (isPaused
      ? call("post", "/admin/queues/{name}/pause", { path })
      : call("post", "/admin/queues/{name}/resume", { path }));
  } catch (error) {
    return tellProblem(error);
  }
  tell(
    t(isPaused ? "queues.is_paused" : "queues.is_resumed", { queue }),
    isUndo ? {} : { undo: () => void set(queue, !isPaused, true) },
  );
  await refreshAll();
}
