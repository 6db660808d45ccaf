import { get, type Document } from "../../api/client";
import { span, t, type Key } from "../../i18n";
import { Chart, type Series } from "../../parts/chart";
import { Loaded } from "../../parts/states";
import { location, refine } from "../../state/location";
import { useResource } from "../../state/polling";

type Bucket = Document<"/stats/history">["buckets"][number];

const RANGES = { hour: 60, fortnight: 20_160 };

/** How it went in the last hour, by minutes, or in the last 14 days, by hours. */
export function Curves({ queue, waiting }: { queue: string; waiting: number }) {
  const range = location.value.query.get("range") === "fortnight" ? "fortnight" : "hour";
  const history = useResource(
    `history of ${queue} ${range}`,
    (signal) => get("/stats/history", { query: { queue, minutes: RANGES[range] }, signal }),
    { everySeconds: range === "hour" ? 60 : 600, keepsOld: true },
  );
  return (
    <section>
      <h2>{t("queues.curves")}</h2>
      <p class="row ranges">
        {(["hour", "fortnight"] as const).map((each) => (
          <button
            type="button"
            key={each}
            aria-pressed={each === range}
            onClick={() => refine({ range: each === "hour" ? null : each })}
          >
            {t(`queues.${each}`)}
          </button>
        ))}
      </p>
      <Loaded resource={history}>
        {({ document }) => (
          <Drawn buckets={document.buckets} seconds={document.bucket_seconds} waiting={waiting} />
        )}
      </Loaded>
    </section>
  );
}

function Drawn(props: { buckets: Bucket[]; seconds: number; waiting: number }) {
  const { buckets, seconds, waiting } = props;
  // What has begun would look like a fall.
  const shown = buckets.filter((bucket) => bucket.is_complete);
  if (shown.length < 2) return null;
  const times = shown.map((bucket) => Date.parse(bucket.begins_at) / 1000);
  const of = (
    key: Exclude<keyof Bucket, "begins_at" | "is_complete">,
    label: Key,
    colour: string,
    factor = 1,
  ): Series => ({
    label: t(label),
    colour,
    values: shown.map((bucket) => (bucket[key] === null ? null : bucket[key] * factor)),
  });
  const chart = (label: string, series: Series[]) => (
    <div>
      <h3>{label}</h3>
      <Chart label={label} times={times} series={series} height={140} />
    </div>
  );
  const last = (key: "wait_p50" | "wait_p95" | "run_p50" | "run_p95") => {
    const found = shown.findLast((bucket) => bucket[key] !== null)?.[key];
    return found === null || found === undefined ? "–" : span(found);
  };
  const lasting = (kind: "wait" | "run") =>
    t(`queues.${kind}`, { p50: last(`${kind}_p50`), p95: last(`${kind}_p95`) });
  const rate = 60 / seconds;
  return (
    <div class="curves">
      {chart(t("queues.backlog"), [
        { label: t("queues.waiting"), colour: "warn", values: backlog(buckets, waiting).slice(0, shown.length) },
      ])}
      {chart(t("queues.throughput"), [
        of("submitted", "queues.submitted", "info", rate),
        of("done", "status.done", "good", rate),
        of("failed", "status.failed", "bad", rate),
      ])}
      {chart(lasting("wait"), [
        of("wait_p50", "queues.p50", "info"),
        of("wait_p95", "queues.p95", "warn"),
      ])}
      {chart(lasting("run"), [
        of("run_p50", "queues.p50", "info"),
        of("run_p95", "queues.p95", "warn"),
      ])}
    </div>
  );
}

/** How many waited at the end of each bucket: from now backwards by what came and what began. */
function backlog(buckets: Bucket[], waiting: number): number[] {
  let left = waiting;
  return buckets
    .map(({ submitted, retried, started }) => {
      return submitted + retried - started;
    })
    .reverse()
    .map((change) => {
      const at = Math.max(left, 0);
      left -= change;
      return at;
    })
    .reverse();
}
