import type { Document } from "../../api/client";
import { localTime, t } from "../../i18n";
import { Table, type Column } from "../../parts/table";
import { Time } from "../../parts/time";
import type { Schedule } from "./schedule";

type Occurrence = Document<"/schedules/{name}/next">[number];

/** What comes next, on the clock of the schedule's zone and on the person's. */
export function Next({ schedule, occurrences }: { schedule: Schedule; occurrences: Occurrence[] }) {
  const columns: Column<Occurrence>[] = [
    { key: "in", title: t("schedules.in"), cell: (each) => <Time at={each.occurrence_at} /> },
    {
      key: "local",
      title: t("schedules.in_zone", { zone: schedule.timezone }),
      cell: (each) => onTheWall(each.local),
    },
    {
      key: "here",
      title: t("schedules.here"),
      cell: (each) => <Time at={each.occurrence_at} as="moment" />,
    },
  ];
  if (schedule.jitter_seconds) {
    const cell = (each: Occurrence) => <Time at={each.due_at} as="moment" />;
    columns.push({ key: "due", title: t("schedules.due"), cell });
  }
  return (
    <section>
      <h2>
        {t("schedules.upcoming")}{" "}
        {schedule.paused_at && <small>{t("schedules.upcoming_paused")}</small>}
      </h2>
      {occurrences.length > 0 ? (
        <Table
          label={t("schedules.upcoming")}
          rows={occurrences}
          columns={columns}
          rowKey={(each) => each.occurrence_at}
        />
      ) : (
        <p class="quiet">{t("schedules.no_more")}</p>
      )}
    </section>
  );
}

/** As the server has it: this browser's zones may be older. */
function onTheWall(local: string) {
  const [, clock = "", offset = ""] = /^(.{19})[.\d]*(.*)$/.exec(local) ?? [];
  const shown = localTime(new Date(`${clock}Z`), {
    ...{ weekday: "short", year: "numeric", month: "short", day: "numeric", timeZone: "UTC" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit" },
  } as Intl.DateTimeFormatOptions);
  return (
    <>
      {shown} <small class="quiet">{offset}</small>
    </>
  );
}
