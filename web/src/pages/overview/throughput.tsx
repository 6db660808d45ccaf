import type { History } from "./figures";
import { t } from "../../i18n";
import { Chart } from "../../parts/chart";

/** How many tasks a minute came, ended and failed in the last hour. */
export function Throughput({ history }: { history: History }) {
  // The minute that has begun would look like a fall.
  const buckets = history.buckets.filter((bucket) => bucket.is_complete);
  if (buckets.length < 2) return null;
  const perMinute = 60 / history.bucket_seconds;
  const values = (of: "submitted" | "done" | "failed") =>
    buckets.map((bucket) => bucket[of] * perMinute);
  return (
    <section>
      <h2>
        {t("overview.throughput")} <small>{t("overview.throughput_about")}</small>
      </h2>
      <Chart
        label={t("overview.throughput")}
        times={buckets.map((bucket) => Date.parse(bucket.begins_at) / 1000)}
        series={[
          { label: t("overview.submitted"), values: values("submitted"), colour: "info" },
          { label: t("overview.done"), values: values("done"), colour: "good" },
          { label: t("overview.failed"), values: values("failed"), colour: "bad" },
        ]}
      />
    </section>
  );
}
