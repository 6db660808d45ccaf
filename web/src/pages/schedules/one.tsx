import type { ComponentChildren } from "preact";

import { get } from "../../api/client";
import { t, type Key } from "../../i18n";
import { writeDocument } from "../../json/writer";
import { JsonView } from "../../parts/json_view";
import { Pager } from "../../parts/pager";
import { Loaded } from "../../parts/states";
import { Span, Time } from "../../parts/time";
import { location } from "../../state/location";
import { useResource } from "../../state/polling";
import { together } from "../../state/together";
import { Actions } from "./actions";
import { Next } from "./next";
import { Runs } from "./runs";
import { Recurrence, StateChip, type Schedule } from "./schedule";
import { TaskLink } from "./task_link";

const RUNS = 50;

/** One schedule: what comes, what came of it, and the levers. */
export function One({ name }: { name: string }) {
  const path = { name };
  const cursor = location.value.query.get("cursor") ?? undefined;
  const schedule = useResource(`schedule ${name}`, (signal) =>
    get("/schedules/{name}", { path, signal }),
  );
  const next = useResource(`schedule next ${name}`, (signal) =>
    get("/schedules/{name}/next", { path, query: { count: 10 }, signal }),
  );
  const runs = useResource(
    `schedule runs ${name} ${cursor}`,
    (signal) => get("/schedules/{name}/runs", { path, query: { limit: RUNS, cursor }, signal }),
    { keepsOld: true },
  );
  return (
    <Loaded resource={together(schedule, next, runs)}>
      {([found, upcoming, came]) => {
        const shown = found.document as Schedule;
        return (
          <>
            <section>
              <div class="row heading">
                <h2>{name}</h2>
                <StateChip schedule={shown} />
                <Actions schedule={shown} />
              </div>
              <Facts schedule={shown} />
            </section>
            <Next schedule={shown} occurrences={upcoming.document} />
            <section>
              <h2>{t("schedules.runs")}</h2>
              <Runs runs={came.document} />
              <Pager next={came.next} />
            </section>
            <section>
              <h2>{t("schedules.task")}</h2>
              <JsonView value={writeDocument(shown.task)} label={t("schedules.task")} />
            </section>
          </>
        );
      }}
    </Loaded>
  );
}

function Facts({ schedule }: { schedule: Schedule }) {
  const facts: [Key, ComponentChildren][] = [
    ["schedules.recurrence", <Recurrence schedule={schedule} />],
    ["schedules.zone", schedule.timezone],
    ["schedules.next", <Time at={schedule.next_at} />],
    ["schedules.last_task", <TaskLink id={schedule.last_task_id} />],
    ["schedules.catch_up", t(`schedules.catch_up.${schedule.catch_up}`)],
    ["schedules.overlap", t(`schedules.overlap.${schedule.overlap}`)],
  ];
  if (schedule.jitter_seconds) {
    facts.push(["schedules.jitter", <Span seconds={schedule.jitter_seconds} />]);
  }
  for (const name of ["starts_at", "ends_at", "paused_at", "updated_at"] as const) {
    if (schedule[name]) facts.push([`schedules.${name}`, <Time at={schedule[name]} as="moment" />]);
  }
  return (
    <dl class="about">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{t(name)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
