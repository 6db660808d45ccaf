import type { Document } from "../../api/client";
import { t } from "../../i18n";
import { Chip, type Tone } from "../../parts/chip";
import { Empty } from "../../parts/states";
import { Table, type Column } from "../../parts/table";
import { Time } from "../../parts/time";
import { TaskLink } from "./task_link";

type Run = Document<"/schedules/{name}/runs">[number];

const TONES: Record<Run["outcome"], Tone> = {
  submitted: "good",
  skipped_overlap: "off",
  skipped_late: "warn",
  skipped_unique: "off",
};

/** What came of each occurrence, newest first. */
export function Runs({ runs }: { runs: Run[] }) {
  const columns: Column<Run>[] = [
    {
      key: "occurrence",
      title: t("schedules.occurrence"),
      cell: (run) => <Time at={run.occurrence_at} as="moment" />,
    },
    {
      key: "outcome",
      title: t("schedules.outcome"),
      cell: (run) => (
        <>
          <Chip tone={TONES[run.outcome]}>{t(`schedules.${run.outcome}`)}</Chip>{" "}
          {run.skipped > 1 && t("schedules.skipped", { n: run.skipped })}
        </>
      ),
    },
    {
      key: "task",
      title: t("schedules.run_task"),
      cell: (run) => <TaskLink id={run.task_id} />,
      isNumber: true,
    },
    { key: "kind", title: t("schedules.kind"), cell: (run) => t(`schedules.kind.${run.kind}`) },
    { key: "fired", title: t("schedules.fired"), cell: (run) => <Time at={run.fired_at} /> },
  ];
  if (runs.length === 0) return <Empty />;
  return (
    <Table
      label={t("schedules.runs")}
      rows={runs}
      columns={columns}
      rowKey={(run) => run.occurrence_at}
    />
  );
}
