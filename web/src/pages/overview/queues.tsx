import { t } from "../../i18n";
import { Table } from "../../parts/table";
import { hash } from "../../state/location";
import { columns, queueHash } from "../queues/columns";
import type { Queue } from "./figures";

const SHOWN = 10;

/** The queues whose tasks have waited longest. */
export function Queues({ queues }: { queues: Queue[] }) {
  const rows = [...queues]
    .sort((a, b) => (b.oldest_waiting_seconds ?? -1) - (a.oldest_waiting_seconds ?? -1))
    .slice(0, SHOWN);
  return (
    <section>
      <h2>{t("overview.queues")}</h2>
      <Table
        label={t("overview.queues")}
        rows={rows}
        // Sorted by something else, these would not be the first ten.
        columns={columns().map(({ by: _, ...column }) => column)}
        rowKey={(queue) => queue.queue}
        href={(queue) => queueHash(queue.queue)}
      />
      <p>
        <a href={hash("/queues")}>{t("queues.all")}</a>
      </p>
    </section>
  );
}
