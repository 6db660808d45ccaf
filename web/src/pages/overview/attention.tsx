import type { ComponentChildren } from "preact";

import { number, percent, span, t } from "../../i18n";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { sum, type Finding, type Queue } from "./figures";

/** What needs a person, each with the way to it; quiet when all is well. */
export function Attention({ found, queues }: { found: Finding[]; queues: Queue[] }) {
  if (found.length === 0) {
    return (
      <section class="well">
        <p>
          <strong>{t("overview.all_well")}</strong>{" "}
          {t("overview.all_well_about", {
            queues: queues.length,
            waiting: sum(queues, (queue) => queue.waiting),
            running: sum(queues, (queue) => queue.in_progress),
          })}
        </p>
      </section>
    );
  }
  return (
    <section>
      <h2>{t("overview.attention")}</h2>
      <ul class="findings">
        {found.map((finding) => (
          <li key={`${finding.kind} ${"queue" in finding ? finding.queue.queue : ""}`}>
            <One finding={finding} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function One({ finding }: { finding: Finding }) {
  switch (finding.kind) {
    case "no scheduler":
      return (
        <Line title={t("overview.no_scheduler")} tone="bad">
          {t("overview.no_scheduler_about")} <code>{finding.detail}</code>
        </Line>
      );
    case "redis":
      return (
        <Line title={t("overview.redis")} tone="warn">
          {t("overview.redis_about", { detail: finding.detail })}
        </Line>
      );
    case "failing": {
      const { queue, share } = finding;
      return (
        <Line
          title={t("overview.failing", { queue: queue.queue, percent: percent(share) })}
          tone="bad"
          href={hash("/tasks", { queue: queue.queue, status: ["retrying", "failed"] })}
        >
          {t("overview.failing_about", {
            failed: queue.recent_failed_attempts,
            minutes: queue.recent_minutes,
          })}
        </Line>
      );
    }
    case "oldest": {
      const { queue, seconds } = finding;
      return (
        <Line
          title={t("overview.oldest", { queue: queue.queue, span: span(seconds) })}
          tone="warn"
          href={hash("/tasks", { queue: queue.queue, status: ["to_do", "retrying"], order: "asc" })}
        >
          {t("overview.oldest_about", { waiting: queue.waiting, running: queue.in_progress })}
        </Line>
      );
    }
    case "paused": {
      const { queue } = finding;
      return (
        <Line
          title={t("overview.paused", { queue: queue.queue })}
          tone="off"
          href={hash(`/queues/${encodeURIComponent(queue.queue)}`)}
        >
          {t("overview.paused_about", { waiting: number(queue.waiting) })}{" "}
          <Time at={queue.paused_at} />
        </Line>
      );
    }
  }
}

interface LineProps {
  title: string;
  tone: "bad" | "warn" | "off";
  href?: string;
  children: ComponentChildren;
}

function Line({ title, tone, href, children }: LineProps) {
  return (
    <div class={`finding ${tone}`}>
      <strong>{href ? <a href={href}>{title}</a> : title}</strong>
      <span>{children}</span>
    </div>
  );
}
