import { get } from "../../api/client";
import { t } from "../../i18n";
import { Pager } from "../../parts/pager";
import { Empty, Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { go, location } from "../../state/location";
import { useResource } from "../../state/polling";
import { columns, queueHash } from "./columns";
import { OneQueue } from "./one";
import { Trend } from "./trend";

const ON_A_PAGE = 200;
/** Of the calls that a tab may make, the curves of the queues need some. */
const LEAST_SECONDS = 4;

export function Queues({ rest }: { rest: string }) {
  return rest ? <OneQueue name={rest} /> : <AllQueues />;
}

function AllQueues() {
  const cursor = location.value.query.get("cursor");
  const stats = useResource(
    `stats ${cursor}`,
    (signal) => get("/stats", { query: { limit: ON_A_PAGE, ...(cursor && { cursor }) }, signal }),
    { everySeconds: LEAST_SECONDS, keepsOld: true },
  );
  const shown = [
    ...columns(),
    {
      key: "trend",
      title: t("queues.trend"),
      cell: ({ queue }: { queue: string }) => <Trend queue={queue} />,
      isMinor: true,
    },
  ];
  return (
    <>
      <form class="row finder" onSubmit={find}>
        <input data-filter name="queue" aria-label={t("queues.find")} placeholder={t("queues.find")} />
      </form>
      <Loaded resource={stats}>
        {({ document, next }) => (
          <section>
            {document.queues.length === 0 ? (
              <Empty />
            ) : (
              <Table
                label={t("queues.title")}
                rows={document.queues}
                columns={shown}
                rowKey={(queue) => queue.queue}
                href={(queue) => queueHash(queue.queue)}
              />
            )}
            {(next !== null || cursor !== null) && (
              <p class="quiet">{t("queues.by_name", { n: document.queues.length })}</p>
            )}
            <Pager next={next} />
          </section>
        )}
      </Loaded>
    </>
  );
}

/** By its whole name: of ten thousand, a page has only some. */
function find(event: SubmitEvent): void {
  event.preventDefault();
  const name = String(new FormData(event.currentTarget as HTMLFormElement).get("queue")).trim();
  if (name) go(`/queues/${encodeURIComponent(name)}`);
}
