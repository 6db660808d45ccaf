import type { ComponentChildren } from "preact";

import { number, percent, span, t } from "../../i18n";
import { checkText } from "../../parts/check";
import { CopyButton } from "../../parts/copy_button";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { queueHash } from "../queues/columns";
import { sum, type Finding, type Queue } from "./figures";

const DURABILITY = ["innodb_flush_log_at_trx_commit", "sync_binlog"];
const NAMED = 5;

/** What needs a person, each with the way to it; quiet when all is well. */
export function Attention(props: { found: Finding[]; queues: Queue[]; isKnown: boolean }) {
  const { found, queues, isKnown } = props;
  if (found.length === 0 && isKnown) {
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
          <li key={keyOf(finding)}>
            <One finding={finding} />
          </li>
        ))}
      </ul>
      {!isKnown && (
        <div class="placeholder" aria-busy="true">
          <span />
        </div>
      )}
    </section>
  );
}

function keyOf(finding: Finding): string {
  if ("queue" in finding) return `${finding.kind} ${finding.queue.queue}`;
  if (finding.kind === "examined") return finding.examined.what;
  return finding.kind === "stopped" ? finding.sweep.sweep : finding.kind;
}

function One({ finding }: { finding: Finding }) {
  switch (finding.kind) {
    case "examined": {
      const { what, detail, fix } = finding.examined;
      const title = DURABILITY.includes(what) ? t("overview.not_durable") : checkText(what);
      return (
        <Line title={title} tone="bad" href={hash("/system")}>
          <span lang="en">
            {what} {detail}
          </span>{" "}
          {fix && <CopyButton text={fix} label={t("overview.copy_fix")} />}
        </Line>
      );
    }
    case "stopped":
      return (
        <Line
          title={t("overview.stopped", { sweep: finding.sweep.sweep })}
          tone="bad"
          href={hash("/system")}
        >
          {t("overview.stopped_about")} <Time at={finding.sweep.last_run_at} />
        </Line>
      );
    case "unserved": {
      const { queue } = finding;
      return (
        <Line
          title={t("overview.unserved", { queue: queue.queue })}
          tone="bad"
          href={queueHash(queue.queue)}
        >
          {t("overview.unserved_about", {
            waiting: queue.waiting,
            span: span(queue.oldest_waiting_seconds!),
          })}
        </Line>
      );
    }
    case "silent":
      return (
        <Line
          title={t("overview.silent", { n: finding.workers.length })}
          tone="warn"
          href={hash("/workers")}
        >
          {finding.workers.slice(0, NAMED).map(({ worker }) => (
            <span key={worker}>
              <a href={hash(`/workers/${encodeURIComponent(worker)}`)}>{worker}</a>{" "}
            </span>
          ))}
          {finding.workers.length > NAMED && "…"}
        </Line>
      );
    case "no scheduler":
      return (
        <Line title={t("overview.no_scheduler")} tone="bad" href={hash("/system")}>
          {t("overview.no_scheduler_about")} <code>{finding.detail}</code>
        </Line>
      );
    case "redis":
      return (
        <Line title={t("overview.redis")} tone="warn" href={hash("/system")}>
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
          href={queueHash(queue.queue)}
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
