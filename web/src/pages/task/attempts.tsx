import { useState } from "preact/hooks";

import { send, get, type Answer } from "../../api/client";
import { t, type Key } from "../../i18n";
import { Chip, type Tone } from "../../parts/chip";
import { CopyButton } from "../../parts/copy_button";
import { Span, Time } from "../../parts/time";
import { now } from "../../state/clock";
import { useResource } from "../../state/polling";
import { diff } from "./diff";
import type { Attempt, Task } from "./path";

const TONES: Record<NonNullable<Attempt["outcome"]>, Tone> = {
  done: "good",
  failed: "bad",
  timed_out: "warn",
  lost: "warn",
  released: "off",
  cancelled: "off",
};
const PAGE = 100;
const LINES = 40;

/** Asked for whenever the task has changed; of very many a page. */
export function useAttempts({ id, updated_at }: Task) {
  const [address, setAddress] = useState<string | null>(null);
  const resource = useResource<Answer<Attempt[]>>(
    `attempts ${id} ${updated_at} ${address ?? ""}`,
    (signal) =>
      address
        ? send<Attempt[]>("GET", address, { signal })
        : get("/tasks/{task_id}/attempts", { path: { task_id: id }, query: { limit: PAGE }, signal }),
    { everySeconds: Infinity, keepsOld: true },
  );
  return { resource, address, setAddress };
}

interface Props {
  answer: Answer<Attempt[]>;
  address: string | null;
  setAddress: (address: string | null) => void;
}

/** Each as a bar on one line of time, and what went wrong. */
export function Attempts({ answer, address, setAddress }: Props) {
  const { document: attempts, next } = answer;
  const first = attempts[0];
  if (!first) return null;
  const from = Date.parse(first.started_at);
  const end = (attempt: Attempt) => (attempt.finished_at ? Date.parse(attempt.finished_at) : now.value);
  const to = Math.max(...attempts.map(end), from + 1);
  const lastError = attempts.findLast(({ error }) => error !== null);
  let before: Attempt | null = null;
  return (
    <section>
      <h2>{t("task.attempts")}</h2>
      <ol class="attempts">
        {attempts.map((attempt) => {
          const began = Date.parse(attempt.started_at);
          const tone = attempt.outcome ? TONES[attempt.outcome] : "info";
          const share = (at: number) => `${Math.min(Math.max((at - from) / (to - from), 0), 1) * 100}%`;
          const previous = before;
          if (attempt.error !== null) before = attempt;
          return (
            <li key={attempt.attempt} data-attempt={attempt.attempt}>
              <div class="attempt">
                <strong>{attempt.attempt}</strong>
                <span class="who">{attempt.worker}</span>
                <span class={`track ${tone}`}>
                  <span style={{ left: share(began), width: `calc(${share(from + end(attempt) - began)} + 3px)` }} />
                </span>
                <Span seconds={Math.max(end(attempt) - began, 0) / 1000} />
                <Chip tone={tone}>
                  {t(attempt.outcome ? (`outcome.${attempt.outcome}` as Key) : "status.in_progress")}
                </Chip>
              </div>
              {attempt.outcome === "cancelled" && <p class="quiet">{t("task.let_go", { worker: attempt.worker ?? "?" })}</p>}
              {attempt.error !== null && (
                <Fault attempt={attempt} previous={previous} isOpen={attempt === lastError} />
              )}
            </li>
          );
        })}
      </ol>
      <p class="row quiet scale">
        <Time at={first.started_at} as="moment" />
        <Time at={new Date(to).toISOString()} as="moment" />
      </p>
      {(next || address) && (
        <p class="row">
          {address && (
            <button type="button" onClick={() => setAddress(null)}>
              {t("task.first_attempts")}
            </button>
          )}
          {next && (
            <button type="button" onClick={() => setAddress(next)}>
              {t("task.later_attempts")}
            </button>
          )}
        </p>
      )}
    </section>
  );
}

interface FaultProps {
  attempt: Attempt;
  /** The last one before it that has an error. */
  previous: Attempt | null;
  isOpen: boolean;
}

function Fault({ attempt, previous, isOpen }: FaultProps) {
  const [isShown, setShown] = useState(isOpen);
  const [isWhole, setWhole] = useState(false);
  const error = attempt.error!;
  const isSame = previous?.error === error;
  const lines = isShown && !isSame ? diff(previous?.error ?? error, error) : [];
  const title = isSame
    ? t("task.same_error", { attempt: previous.attempt })
    : error.split("\n", 1)[0]!.slice(0, 200) || t("task.error_of", { attempt: attempt.attempt });
  return (
    <details open={isOpen} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isShown && (
        <>
          <pre tabIndex={0} aria-label={t("task.error_of", { attempt: attempt.attempt })}>
            {isSame
              ? error.slice(0, isWhole ? undefined : 4000)
              : (isWhole ? lines : lines.slice(0, LINES)).map(({ sign, text }, index) =>
                  sign === "+" ? <ins key={index}>+ {text + "\n"}</ins>
                  : sign === "-" ? <del key={index}>− {text + "\n"}</del>
                  : <span key={index}>{(previous ? "  " : "") + text + "\n"}</span>,
                )}
          </pre>
          <p class="row quiet">
            {previous && !isSame && t("task.compared", { attempt: previous.attempt })}
            <CopyButton text={error} />
            {(lines.length > LINES || (isSame && error.length > 4000)) && (
              <button type="button" class="plain" onClick={() => setWhole(!isWhole)}>
                {t(isWhole ? "action.show_less" : "task.all_lines")}
              </button>
            )}
          </p>
        </>
      )}
    </details>
  );
}
