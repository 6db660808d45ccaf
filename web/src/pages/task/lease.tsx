import { span, t, type Key } from "../../i18n";
import { Time } from "../../parts/time";
import { now } from "../../state/clock";
import type { Task } from "./path";

/** How long the attempt still has, by the second. */
export function Lease({ task }: { task: Task }) {
  return (
    <section>
      <h2>{t("task.attempt_of", { attempt: task.attempt, worker: task.worker ?? "?" })}</h2>
      <dl class="totals lease">
        <Countdown name="deadline" at={task.deadline_at} />
        <Countdown name="lease" at={task.lease_expires_at} />
        <div>
          <dt>{t("task.heartbeat")}</dt>
          <dd>
            <Time at={task.last_heartbeat_at} />
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Countdown({ name, at }: { name: "deadline" | "lease"; at: string | null }) {
  const left = at === null ? null : (Date.parse(at) - now.value) / 1000;
  return (
    <div>
      <dt>{t(`task.${name}` as Key)}</dt>
      <dd>
        <span data-countdown={name}>
          {left === null ? <Time at={null} /> : left <= 0 ? t("task.over") : clockText(left)}
        </span>{" "}
        {at && (
          <small class="quiet">
            <Time at={at} as="moment" />
          </small>
        )}
      </dd>
    </div>
  );
}

function clockText(seconds: number): string {
  if (seconds >= 36 * 3600) return span(seconds);
  const whole = Math.floor(seconds);
  const [hours, rest] = [Math.floor(whole / 3600), whole % 3600];
  const two = (value: number) => String(value).padStart(2, "0");
  return `${hours ? `${hours}:` : ""}${two(Math.floor(rest / 60))}:${two(rest % 60)}`;
}
