// How a part of a page looks while it waits, when there is nothing, and when something went wrong.
import type { ComponentChildren } from "preact";

import type { Problem } from "../api/client";
import { distance, t } from "../i18n";
import type { Resource } from "../state/polling";
import { now } from "../state/clock";
import { CopyButton } from "./copy_button";

interface LoadedProps<T> {
  resource: Resource<T>;
  children: (data: T) => ComponentChildren;
}

/** What was answered last, dimmed while it is not of this moment, and what went wrong since. */
export function Loaded<T>({ resource, children }: LoadedProps<T>) {
  const { data, at, problem, isLoading } = resource.state.value;
  const isOld = data !== null && (problem !== null || (isLoading && at === null));
  return (
    <>
      {problem && (
        <ProblemNote problem={problem} dataAt={data === null ? null : at} onRetry={resource.refresh} />
      )}
      {data === null
        ? !problem && <Placeholder />
        : <div class={isOld ? "dimmed" : undefined} aria-busy={isLoading}>{children(data)}</div>}
    </>
  );
}

export function Placeholder() {
  return (
    <div class="placeholder" aria-busy="true">
      <span /> <span /> <span />
    </div>
  );
}

interface NoteProps {
  problem: Problem;
  /** Of when what is shown nevertheless is. */
  dataAt?: number | null;
  onRetry?: () => unknown;
}

export function ProblemNote({ problem, dataAt = null, onRetry }: NoteProps) {
  void now.value; // the age grows
  return (
    <div class="note bad" role="alert">
      <p>{problemText(problem)}</p>
      {dataAt !== null && (
        <p>{t("problem.shown_from", { age: distance((dataAt - Date.now()) / 1000) })}</p>
      )}
      <p class="row">
        {onRetry && (
          <button type="button" onClick={() => void onRetry()}>
            {t("action.retry")}
          </button>
        )}
        {problem.requestId && (
          <span class="quiet">
            {t("problem.request_id", { id: problem.requestId })}{" "}
            <CopyButton text={problem.requestId} />
          </span>
        )}
      </p>
    </div>
  );
}

/** What went wrong, as a sentence for the person. */
export function problemText(problem: Problem): string {
  const { status, detail } = problem;
  const wait = problem.retryAfterSeconds;
  const then = wait === null ? "" : ` ${t("problem.retry_after", { seconds: wait })}`;
  if (status === 0) return t("problem.no_answer");
  if (status === 401) return t("sign_in.refused");
  if (status === 403) return t("problem.forbidden", { detail });
  if (status === 409) return t("problem.conflict", { detail });
  if (status === 422 && problem.title === "Search too slow") return t("problem.too_slow");
  if (status === 429) return t("problem.too_many") + then;
  if (status >= 500) return t("problem.away", { detail }) + then;
  return detail || problem.title;
}

interface EmptyProps {
  /** Whether filters may hide what there is. */
  isFiltered?: boolean;
  onClear?: () => void;
  children?: ComponentChildren;
}

/** Nothing: either there is none yet, which `children` may say more of, or filters hide all. */
export function Empty({ isFiltered = false, onClear, children }: EmptyProps) {
  return (
    <div class="empty">
      {isFiltered ? <p>{t("table.filtered")}</p> : (children ?? <p>{t("table.empty")}</p>)}
      {isFiltered && onClear && (
        <button type="button" onClick={onClear}>
          {t("action.clear_filters")}
        </button>
      )}
    </div>
  );
}
