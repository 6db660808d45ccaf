import type { components } from "../../api/schema";
import { number, t } from "../../i18n";
import { Chip } from "../../parts/chip";
import { Empty } from "../../parts/states";
import { Table, type Column } from "../../parts/table";
import { Time } from "../../parts/time";
import { now } from "../../state/clock";

type Process = components["schemas"]["ProcessDocument"];
type Sweep = components["schemas"]["SweepDocument"];

/** As `/readyz` says it: reports come every 5 s. */
const STOPPED_AFTER_MS = 60_000;

/** The processes of this deployment; those of two versions are worth a look. */
export function Processes({ processes }: { processes: Process[] }) {
  const alive = processes.filter((each) => each.state !== "silent");
  const versions = [...new Set(alive.map((each) => each.version))].sort();
  const columns: Column<Process>[] = [
    { key: "kind", title: t("system.kind"), by: (each) => each.kind, cell: (each) => each.kind },
    {
      key: "state",
      title: t("system.state"),
      by: (each) => each.state,
      cell: (each) => (
        <Chip tone={each.state === "silent" ? "warn" : "good"}>
          {t(`system.state.${each.state}`)}
        </Chip>
      ),
    },
    {
      key: "version",
      title: t("system.version"),
      by: (each) => each.version,
      cell: (each) => each.version,
    },
    {
      key: "since",
      title: t("system.running_since"),
      by: (each) => each.running_since,
      cell: (each) => <Time at={each.running_since} />,
    },
    {
      key: "seen",
      title: t("system.last_seen"),
      by: (each) => each.last_seen_at,
      cell: (each) => <Time at={each.last_seen_at} />,
    },
    {
      key: "id",
      title: t("system.id"),
      cell: (each) => <code title={each.id}>{each.id.slice(0, 8)}</code>,
      isMinor: true,
    },
  ];
  return (
    <section>
      <h2>
        {t("system.processes")}{" "}
        {versions.length > 1 && (
          <Chip tone="warn">{t("system.versions", { versions: versions.join(", ") })}</Chip>
        )}
      </h2>
      <Table
        label={t("system.processes")}
        rows={processes}
        columns={columns}
        rowKey={(each) => each.id}
      />
    </section>
  );
}

/** What time does, by all schedulers together. */
export function Sweeps({ sweeps }: { sweeps: Sweep[] }) {
  const isLate = (sweep: Sweep) => now.value - Date.parse(sweep.last_run_at) > STOPPED_AFTER_MS;
  const columns: Column<Sweep>[] = [
    { key: "sweep", title: t("system.sweep"), by: (each) => each.sweep, cell: (each) => each.sweep },
    {
      key: "last_run",
      title: t("system.last_run"),
      by: (each) => each.last_run_at,
      cell: (each) => (
        <>
          <Time at={each.last_run_at} />{" "}
          {isLate(each) && <Chip tone="warn">{t("system.stopped")}</Chip>}
        </>
      ),
    },
    counted("runs", t("system.runs"), (each) => each.runs),
    counted("moved", t("system.moved"), (each) => each.moved),
  ];
  return (
    <section>
      <h2>{t("system.sweeps")}</h2>
      {sweeps.length > 0 ? (
        <Table
          label={t("system.sweeps")}
          rows={sweeps}
          columns={columns}
          rowKey={(each) => each.sweep}
        />
      ) : (
        <Empty>
          <p>{t("system.no_sweeps")}</p>
        </Empty>
      )}
    </section>
  );
}

function counted(key: string, title: string, of: (sweep: Sweep) => number): Column<Sweep> {
  return { key, title, by: of, cell: (sweep) => number(of(sweep)), isNumber: true };
}
