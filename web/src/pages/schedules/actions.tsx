import { useRef, useState } from "preact/hooks";

import { call, Problem } from "../../api/client";
import { t } from "../../i18n";
import { tell, tellProblem } from "../../shell/toasts";
import { refreshAll } from "../../state/polling";
import { opens } from "../../state/session";
import { Backfill } from "./backfill";
import type { Schedule } from "./schedule";

/** What may be done to a schedule by this token. */
export function Actions({ schedule }: { schedule: Schedule }) {
  const [isFilling, setFilling] = useState(false);
  const key = useRef<string | null>(null);
  const path = { name: schedule.name };

  const toggle = async (verb: "pause" | "resume", isUndo = false) => {
    try {
      await call("post", `/admin/schedules/{name}/${verb}`, { path });
      const undo = () => void toggle(verb === "pause" ? "resume" : "pause", true);
      tell(t(`schedules.${verb}d`, path), isUndo ? {} : { undo });
      await refreshAll();
    } catch (error) {
      tellProblem(error);
    }
  };
  const run = async () => {
    key.current ??= newKey();
    try {
      const headers = { "Idempotency-Key": key.current };
      const { document } = await call("post", "/schedules/{name}/run", { path, headers });
      key.current = null;
      tell(t("schedules.ran", { id: String(document.id) }));
      await refreshAll();
    } catch (error) {
      // Whether it was done is not known: asked again it is the same run.
      if (error instanceof Problem && error.status > 0 && error.status < 500) key.current = null;
      tellProblem(error);
    }
  };
  return (
    <>
      {opens("admin") && (
        <button type="button" onClick={() => void toggle(schedule.paused_at ? "resume" : "pause")}>
          {t(schedule.paused_at ? "schedules.resume" : "schedules.pause")}
        </button>
      )}
      {opens("client") && (
        <>
          <button type="button" onClick={() => void run()}>
            {t("schedules.run")}
          </button>
          <button type="button" onClick={() => setFilling(true)}>
            {t("schedules.backfill")}
          </button>
        </>
      )}
      {isFilling && <Backfill schedule={schedule} onClose={() => setFilling(false)} />}
    </>
  );
}

/** `crypto.randomUUID` is for secure addresses alone. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
}
