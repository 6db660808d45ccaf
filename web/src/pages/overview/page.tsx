import { get, Problem, urlOf } from "../../api/client";
import { t } from "../../i18n";
import { Overseen, useOverseen } from "../../parts/overseen";
import { Empty, Loaded } from "../../parts/states";
import { useResource } from "../../state/polling";
import { oversees } from "../../state/session";
import { Attention } from "./attention";
import { findings, type Readiness } from "./figures";
import { Queues } from "./queues";
import { Throughput } from "./throughput";
import { Totals } from "./totals";

const MOST = 1000;

/** What needs a person first; then how it goes. */
export function Overview() {
  const stats = useResource("stats", (signal) => get("/stats", { query: { limit: MOST }, signal }));
  const readiness = useResource("readiness", readinessOf, { everySeconds: 15 });
  const hour = useResource(
    "history",
    async (signal) => (await get("/stats/history", { query: { minutes: 60 }, signal })).document,
    { everySeconds: 60 },
  );
  const workers = useOverseen("workers", (signal) => get("/admin/workers", { query: { limit: MOST }, signal }), 30);
  const processes = useOverseen("processes", (signal) => get("/admin/processes", { signal }), 30);
  const doctor = useOverseen("doctor", (signal) => get("/admin/doctor", { signal }), 120);

  // Nobody is told that all is well before all has been looked at.
  const isKnown = [readiness, workers, processes, doctor].every(({ state }) => state.value.at !== null);

  return (
    <Loaded resource={stats}>
      {({ document, next }) => {
        const { queues } = document;
        if (queues.length === 0) return <First />;
        const history = hour.state.value.data;
        const found = findings({
          queues,
          history,
          readiness: readiness.state.value.data,
          // Of a part of them nothing can be said about the others.
          workers: workers.state.value.data?.next ? null : (workers.state.value.data?.document ?? null),
          sweeps: processes.state.value.data?.document.sweeps ?? [],
          examined: doctor.state.value.data?.document.findings ?? [],
        });
        return (
          <>
            <Attention found={found} queues={queues} isKnown={isKnown} />
            {!oversees() && (
              <section>
                <p class="quiet">{t("overview.less")}</p>
                <Overseen>{null}</Overseen>
              </section>
            )}
            <Totals queues={queues} />
            {history && <Throughput history={history} />}
            <Queues queues={queues} />
            {next !== null && <p class="quiet">{t("overview.more_queues", { n: MOST })}</p>}
          </>
        );
      }}
    </Loaded>
  );
}

export function First() {
  const command = `curl -s ${urlOf("/tasks")} -H 'Content-Type: application/json' -d '{"title": "Say hello"}'`;
  return (
    <Empty>
      <p>{t("overview.none")}</p>
      <pre tabIndex={0}>{command}</pre>
    </Empty>
  );
}

/** A server that is not ready says with 503 which part is missing: that is the answer. */
async function readinessOf(signal: AbortSignal): Promise<Readiness> {
  try {
    return (await get("/readyz", { signal })).document;
  } catch (error) {
    if (error instanceof Problem && "parts" in error.facts) return error.facts as Readiness;
    throw error;
  }
}
