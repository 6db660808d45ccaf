import { get } from "../../api/client";
import { number, t } from "../../i18n";
import { Table } from "../../parts/table";
import { Time } from "../../parts/time";
import { useResource } from "../../state/polling";

const SHOWN = 20;

/** The groups of the queue in which tasks wait for slots; nothing where there is none. */
export function Groups({ queue }: { queue: string }) {
  const groups = useResource(
    `groups of ${queue}`,
    (signal) =>
      get("/admin/queues/{name}/groups", {
        path: { name: queue },
        query: { waiting: true, limit: SHOWN },
        signal,
      }),
    { everySeconds: 15 },
  );
  const found = groups.state.value.data;
  if (!found || found.document.length === 0) return null;
  return (
    <section>
      <h2>
        {t("queues.groups")} <small>{t("queues.groups_about")}</small>
      </h2>
      <Table
        label={t("queues.groups")}
        rows={found.document}
        rowKey={({ group }) => group}
        columns={[
          { key: "group", title: t("queues.group"), cell: ({ group }) => group },
          {
            key: "held",
            title: t("queues.held"),
            cell: ({ held, running_limit }) =>
              running_limit === null
                ? number(held)
                : t("queues.held_of", { held: number(held), limit: number(running_limit) }),
            isNumber: true,
          },
          {
            key: "in_line",
            title: t("queues.in_line"),
            cell: ({ waiting }) => number(waiting),
            isNumber: true,
          },
          {
            key: "weight",
            title: t("queues.weight"),
            cell: ({ weight }) => number(weight),
            isNumber: true,
          },
          {
            key: "next_token",
            title: t("queues.next_token"),
            cell: ({ next_token_at }) => <Time at={next_token_at} />,
          },
        ]}
      />
      {found.next && <p class="quiet">{t("queues.groups_first", { n: SHOWN })}</p>}
    </section>
  );
}
