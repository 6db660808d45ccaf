import { get } from "../../api/client";
import { t } from "../../i18n";
import { Pager } from "../../parts/pager";
import { Empty, Loaded } from "../../parts/states";
import { Table, type Column } from "../../parts/table";
import { Time } from "../../parts/time";
import { location } from "../../state/location";
import { useResource } from "../../state/polling";
import { One } from "./one";
import { hrefOf, Recurrence, StateChip, type Schedule } from "./schedule";
import { TaskLink } from "./task_link";

/** Each has its template with it, and that may be large. */
const PAGE = 100;

export function Schedules({ rest }: { rest: string }) {
  return rest ? <One name={decoded(rest)} /> : <List />;
}

function List() {
  const cursor = location.value.query.get("cursor") ?? undefined;
  const schedules = useResource(
    `schedules ${cursor}`,
    (signal) => get("/schedules", { query: { limit: PAGE, cursor }, signal }),
    { keepsOld: true },
  );
  const columns: Column<Schedule>[] = [
    {
      key: "name",
      title: t("schedules.name"),
      by: (each) => each.name,
      cell: (each) => <a href={hrefOf(each.name)}>{each.name}</a>,
    },
    { key: "state", title: t("schedules.state"), cell: (each) => <StateChip schedule={each} /> },
    {
      key: "recurrence",
      title: t("schedules.recurrence"),
      cell: (each) => <Recurrence schedule={each} />,
    },
    {
      key: "zone",
      title: t("schedules.zone"),
      by: (each) => each.timezone,
      cell: (each) => each.timezone,
      isMinor: true,
    },
    {
      key: "next",
      title: t("schedules.next"),
      by: (each) => each.next_at,
      cell: (each) => <Time at={each.next_at} />,
    },
    {
      key: "last",
      title: t("schedules.last_task"),
      by: (each) => each.last_task_id,
      cell: (each) => <TaskLink id={each.last_task_id} />,
      isNumber: true,
    },
  ];
  return (
    <Loaded resource={schedules}>
      {({ document, next }) => (
        <>
          {document.length > 0 ? (
            <Table
              label={t("schedules.title")}
              rows={document as Schedule[]}
              columns={columns}
              rowKey={(each) => each.name}
              href={(each) => hrefOf(each.name)}
            />
          ) : (
            <Empty>
              <p>{t("schedules.none")}</p>
              <pre tabIndex={0}>{EXAMPLE}</pre>
            </Empty>
          )}
          <Pager next={next} />
        </>
      )}
    </Loaded>
  );
}

const EXAMPLE = `rowlock schedule put hello --cron "0 9 * * 1-5" --timezone Europe/Berlin`;

/** An address that a person has typed may be no name at all: the API says so. */
function decoded(rest: string): string {
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}
