import { get } from "../../api/client";
import { t } from "../../i18n";
import { Pager } from "../../parts/pager";
import { Loaded } from "../../parts/states";
import { Time } from "../../parts/time";
import { useResource } from "../../state/polling";
import { WorkerTable } from "../workers/table";

/** Who polls the queue or holds a task of it; and since when nobody has. */
export function Serving({ queue, isWaiting }: { queue: string; isWaiting: boolean }) {
  const workers = useResource(
    `workers of ${queue}`,
    (signal) => get("/admin/workers", { query: { queue: [queue] }, signal }),
    { everySeconds: 15 },
  );
  return (
    <section>
      <h2>{t("workers.title")}</h2>
      <Loaded resource={workers}>
        {({ document, next }) => {
          const isServed = document.some((worker) => worker.state !== "silent");
          const last = document.map((worker) => worker.last_seen_at).sort().at(-1);
          return (
            <>
              {!isServed && (
                <p class={`note ${isWaiting ? "warn" : "off"}`}>
                  {last ? t("queues.unserved") : t("queues.never_served")} {last && <Time at={last} />}
                </p>
              )}
              {document.length > 0 && <WorkerTable workers={document} />}
              <Pager next={next} />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}
