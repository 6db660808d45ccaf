import type { ComponentChildren } from "preact";

import { number, percent, t } from "../../i18n";
import { hash } from "../../state/location";
import { count, failureRate, sum, type Queue } from "./figures";

/** The whole platform in six numbers, each a way to what it counts. */
export function Totals({ queues }: { queues: Queue[] }) {
  const failing = failureRate(queues);
  const waiting = sum(queues, (queue) => queue.waiting);
  const retrying = sum(queues, (queue) => count(queue, "retrying"));
  const running = sum(queues, (queue) => queue.in_progress);
  const failed = sum(queues, (queue) => count(queue, "failed"));
  return (
    <section>
      <h2>{t("overview.totals")}</h2>
      <dl class="totals">
        <Total name={t("overview.waiting")} href={hash("/tasks", { status: ["to_do", "retrying"] })}>
          {number(waiting)}
        </Total>
        <Total name={t("overview.running")} href={hash("/tasks", { status: "in_progress" })}>
          {number(running)}
        </Total>
        <Total name={t("overview.retrying")} href={hash("/tasks", { status: "retrying" })}>
          {number(retrying)}
        </Total>
        <Total name={t("overview.failed")} href={hash("/tasks", { status: "failed" })}>
          {number(failed)}
        </Total>
        <Total name={t("overview.done_rate")} href={hash("/tasks", { status: "done" })}>
          {number(sum(queues, (queue) => queue.done_per_minute), 1)}
        </Total>
        <Total name={t("overview.failure_rate")} href={hash("/failures")}>
          {failing === null ? "–" : percent(failing)}
        </Total>
      </dl>
    </section>
  );
}

interface TotalProps {
  name: string;
  href?: string;
  children: ComponentChildren;
}

function Total({ name, href, children }: TotalProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{href ? <a href={href}>{children}</a> : children}</dd>
    </div>
  );
}
