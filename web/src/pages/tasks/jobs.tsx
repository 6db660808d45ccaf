// What runs over many tasks, page by page: how far it is, and a way to stop it and to go on.
import { effect, signal, type Signal } from "@preact/signals";

import { Problem } from "../../api/client";
import { number, t } from "../../i18n";
import { Bar } from "../../parts/bar";
import { ProblemNote } from "../../parts/states";

export interface Plan {
  title: string;
  /** How many tasks there are, as far as that is known. */
  total: number | null;
  /** Do a page: how many tasks it had, and whether there are more. */
  step: () => Promise<{ count: number; isMore: boolean }>;
  atEnd: () => void;
  /** What can be done with what there is when it was stopped. */
  meanwhile?: { label: string; run: () => void };
}

interface Job extends Plan {
  id: number;
  done: Signal<number>;
  runs: Signal<boolean>;
  /** A page is under way, even after a stop. */
  isBusy: boolean;
  problem: Signal<Problem | null>;
}

const jobs = signal<Job[]>([]);
let lastId = 0;

effect(() => {
  // Leaving the page would stop it half-way.
  const isBusy = jobs.value.some((job) => job.runs.value);
  window.onbeforeunload = isBusy ? (event) => event.preventDefault() : null;
});

export function start(plan: Plan): void {
  const job: Job = { ...plan, id: ++lastId, done: signal(0), runs: signal(false), isBusy: false, problem: signal(null) };
  jobs.value = [...jobs.value, job];
  void run(job);
}

async function run(job: Job): Promise<void> {
  job.runs.value = true;
  job.problem.value = null;
  if (job.isBusy) return;
  job.isBusy = true;
  try {
    for (let isMore = true; job.runs.value; ) {
      let count: number;
      ({ count, isMore } = await job.step());
      job.done.value += count;
      if (isMore) continue;
      close(job);
      job.atEnd();
      return;
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    job.problem.value = error;
  } finally {
    job.isBusy = job.runs.value = false;
  }
}

function close(job: Job): void {
  jobs.value = jobs.value.filter((each) => each !== job);
}

export function Jobs() {
  if (jobs.value.length === 0) return null;
  return (
    <section class="jobs" aria-label={t("tasks.jobs")}>
      {jobs.value.map((job) => (
        <One job={job} key={job.id} />
      ))}
    </section>
  );
}

function One({ job }: { job: Job }) {
  const done = job.done.value;
  const share = job.total ? done / job.total : 0;
  const far =
    job.total === null ? t("tasks.count", { n: number(done) }) : t("tasks.far", { n: done, total: job.total });
  const isRefused = job.problem.value?.status === 409;
  return (
    <div class="job">
      <p class="row">
        <strong>{job.title}</strong>
        {job.total !== null && <Bar share={share} label={far} />}
        <span>{far}</span>
        {job.runs.value ? (
          <button type="button" onClick={() => (job.runs.value = false)}>
            {t("tasks.stop")}
          </button>
        ) : (
          <>
            <span class="quiet">{t("tasks.stopped")}</span>
            {!isRefused && (
              <button type="button" onClick={() => void run(job)}>
                {t("tasks.go_on")}
              </button>
            )}
            {job.meanwhile && (
              <button type="button" onClick={job.meanwhile.run}>
                {job.meanwhile.label}
              </button>
            )}
            <button type="button" onClick={() => close(job)}>
              {t("action.close")}
            </button>
          </>
        )}
      </p>
      {job.problem.value && <ProblemNote problem={job.problem.value} />}
    </div>
  );
}
