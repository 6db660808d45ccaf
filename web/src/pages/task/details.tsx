import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";

import { number, t, type Key } from "../../i18n";
import type { JsonText } from "../../json/reader";
import { JsonView } from "../../parts/json_view";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import type { Task } from "./path";

/** What is the user's. It is laid out anew only when it has changed: it may be large. */
export function Value({ name, value }: { name: "payload" | "result" | "progress"; value: JsonText | null }) {
  const title = t(`field.${name}`);
  const view = useMemo(() => <JsonView value={value} label={title} />, [value?.text, title]);
  return (
    <section data-value={name}>
      <h2>{title}</h2>
      {view}
    </section>
  );
}

export function Details({ task }: { task: Task }) {
  const { origin } = task;
  const times = ["created_at", "available_at", "started_at", "completed_at", "updated_at", "due_date"] as const;
  const facts: [name: Key, value: ComponentChildren][] = [
    ...times.map((name): [Key, ComponentChildren] => [`field.${name}`, task[name] && <Time at={task[name]} as="moment" />]),
    ["field.timeout_seconds", number(task.timeout_seconds)],
    ["field.retries", t("task.retries", { used: task.current_retry_count, limit: task.retry_limit })],
    ["field.retry_delay_seconds", number(task.retry_delay_seconds)],
    ["field.retry_backoff", t(`retry_backoff.${task.retry_backoff}`)],
    ["field.worker", task.worker],
    [
      "field.origin",
      origin && (
        <>
          <a href={hash(`/schedules/${encodeURIComponent(origin.schedule)}`)}>{origin.schedule}</a>{" "}
          <Time at={origin.occurrence_at} as="moment" />
        </>
      ),
    ],
    ["field.traceparent", task.traceparent && <code>{task.traceparent}</code>],
  ];
  return (
    <section>
      <h2>{t("task.fields")}</h2>
      {task.description && <p class="description">{task.description}</p>}
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{t(name)}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}
