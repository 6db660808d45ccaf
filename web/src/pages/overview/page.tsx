import { get, Problem, urlOf } from "../../api/client";
import { history } from "../../api/history";
import { t } from "../../i18n";
import { Empty, Loaded } from "../../parts/states";
import { useResource } from "../../state/polling";
import { Attention } from "./attention";
import { findings, type Readiness } from "./figures";
import { Queues } from "./queues";
import { Throughput } from "./throughput";
import { Totals } from "./totals";

const MOST_QUEUES = 1000;

/** What needs a person first; then how it goes. */
export function Overview() {
  const stats = useResource("stats", (signal) =>
    get("/stats", { query: { limit: MOST_QUEUES }, signal }),
  );
  const readiness = useResource("readiness", readinessOf, { everySeconds: 15 });
  const hour = useResource("history", (signal) => history({ minutes: 60 }, signal), {
    everySeconds: 60,
  });

  return (
    <Loaded resource={stats}>
      {({ document, next }) => {
        const { queues } = document;
        if (queues.length === 0) return <First />;
        const past = hour.state.value.data;
        return (
          <>
            <Attention
              found={findings(queues, readiness.state.value.data, past)}
              queues={queues}
            />
            <Totals queues={queues} />
            {past && <Throughput history={past} />}
            <Queues queues={queues} />
            {next !== null && (
              <p class="quiet">{t("overview.more_queues", { n: MOST_QUEUES })}</p>
            )}
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
