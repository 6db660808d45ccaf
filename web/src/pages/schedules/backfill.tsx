import { useEffect, useState } from "preact/hooks";

import { call, get, Problem } from "../../api/client";
import { t } from "../../i18n";
import { ConfirmDialog } from "../../parts/dialog";
import { problemText } from "../../parts/states";
import { tell, tellProblem } from "../../shell/toasts";
import { now } from "../../state/clock";
import { refreshAll } from "../../state/polling";
import type { Schedule } from "./schedule";

/** As many as one backfill may be, and as many as one answer has. */
const MOST = 1000;
const PAGE = 100;

/** Occurrences of a past time, which are counted before any is submitted. */
export function Backfill({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const [from, setFrom] = useState(wall(now.peek() - 86_400_000));
  const [to, setTo] = useState(wall(now.peek()));
  const [said, setSaid] = useState("");
  const [isFit, setFit] = useState(false);
  const [begin, end] = [new Date(from), new Date(to)];
  const path = { name: schedule.name };

  useEffect(() => {
    const under = new AbortController();
    const count = async () => {
      setFit(false);
      if (!(begin < end)) return setSaid(t("schedules.backfill_order"));
      if (end.getTime() > now.peek()) return setSaid(t("schedules.backfill_future"));
      setSaid("…");
      try {
        const n = await countOf(schedule.name, begin, end, under.signal);
        setFit(n > 0 && n <= MOST);
        setSaid(t(n > MOST ? "schedules.backfill_many" : "schedules.backfill_count", { n }));
      } catch (error) {
        if (under.signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        setSaid(problemText(error));
      }
    };
    void count();
    return () => under.abort();
  }, [from, to]);

  const submit = async () => {
    try {
      const body = { from: begin.toISOString(), to: end.toISOString() };
      const { document } = await call("post", "/schedules/{name}/backfill", { path, body });
      tell(t("schedules.backfilled", { n: document.submitted, existing: document.existing }));
      await refreshAll();
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <ConfirmDialog
      title={t("schedules.backfill_of", path)}
      confirm={t("schedules.backfill")}
      isDisabled={!isFit}
      onConfirm={() => void submit()}
      onClose={onClose}
    >
      <label>
        {t("schedules.from")}
        <Moment value={from} onChange={setFrom} />
      </label>
      <label>
        {t("schedules.to")}
        <Moment value={to} onChange={setTo} />
      </label>
      <p role="status">{said}</p>
    </ConfirmDialog>
  );
}

function Moment({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <input
      type="datetime-local"
      step="1"
      required
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** A moment as the input has it: on the person's clock, to the second. */
function wall(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** How many occurrences there are from `begin` on and before `end`; no further than too many. */
async function countOf(name: string, begin: Date, end: Date, signal: AbortSignal): Promise<number> {
  let found = 0;
  let after = new Date(begin.getTime() - 1).toISOString();
  while (found <= MOST) {
    const query = { count: PAGE, after };
    const { document } = await get("/schedules/{name}/next", { path: { name }, query, signal });
    const within = document.filter((each) => Date.parse(each.occurrence_at) < end.getTime());
    found += within.length;
    if (within.length < PAGE) break;
    after = within.at(-1)!.occurrence_at;
  }
  return found;
}
