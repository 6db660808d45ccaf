import {
  Bar,
  Chart,
  CheckName,
  Chip,
  ConfirmDialog,
  CopyButton,
  Dialog,
  Empty,
  First,
  JsonText,
  Loaded,
  Overseen,
  Problem,
  ProblemNote,
  Span,
  StatusChip,
  Table,
  Time,
  announce,
  bytes,
  call,
  checkText,
  columns,
  distance,
  doLater,
  get,
  go,
  hasToken,
  hash,
  kept,
  localTime,
  location,
  me,
  now,
  number,
  opens,
  priorityText,
  problemText,
  queueHash,
  refine,
  refreshAll,
  refreshes,
  send,
  span,
  sum,
  t,
  tell,
  tellProblem,
  urlOf,
  useHold,
  useResource
} from "./chunk.js";

// src/parts/pager.tsx
import { jsx, jsxs } from "./vendor.js";
function Pager({ next }) {
  const { path: path2, query } = location.value;
  const kept2 = Object.fromEntries([...query].filter(([name]) => name !== "cursor"));
  const cursor = next && new URLSearchParams(next.split("?")[1]).get("cursor");
  if (!cursor && !query.has("cursor")) return null;
  return /* @__PURE__ */ jsxs("p", { class: "row", children: [
    query.has("cursor") && /* @__PURE__ */ jsx("a", { href: hash(path2, kept2), children: t("table.first_page") }),
    cursor && /* @__PURE__ */ jsx("a", { href: hash(path2, { ...kept2, cursor }), children: t("table.next_page") })
  ] });
}

// src/pages/queues/curves.tsx
import { jsx as jsx2, jsxs as jsxs2 } from "./vendor.js";
var RANGES = { hour: 60, fortnight: 20160 };
function Curves({ queue, waiting }) {
  const range = location.value.query.get("range") === "fortnight" ? "fortnight" : "hour";
  const history = useResource(
    `history of ${queue} ${range}`,
    (signal6) => get("/stats/history", { query: { queue, minutes: RANGES[range] }, signal: signal6 }),
    { everySeconds: range === "hour" ? 60 : 600, keepsOld: true }
  );
  return /* @__PURE__ */ jsxs2("section", { children: [
    /* @__PURE__ */ jsx2("h2", { children: t("queues.curves") }),
    /* @__PURE__ */ jsx2("p", { class: "row ranges", children: ["hour", "fortnight"].map((each) => /* @__PURE__ */ jsx2(
      "button",
      {
        type: "button",
        "aria-pressed": each === range,
        onClick: () => refine({ range: each === "hour" ? null : each }),
        children: t(`queues.${each}`)
      },
      each
    )) }),
    /* @__PURE__ */ jsx2(Loaded, { resource: history, children: ({ document: document2 }) => /* @__PURE__ */ jsx2(Drawn, { buckets: document2.buckets, seconds: document2.bucket_seconds, waiting }) })
  ] });
}
function Drawn(props) {
  const { buckets, seconds, waiting } = props;
  const shown = buckets.filter((bucket) => bucket.is_complete);
  if (shown.length < 2) return null;
  const times = shown.map((bucket) => Date.parse(bucket.begins_at) / 1e3);
  const of2 = (key, label, colour, factor = 1) => ({
    label: t(label),
    colour,
    values: shown.map((bucket) => bucket[key] === null ? null : bucket[key] * factor)
  });
  const chart = (label, series) => /* @__PURE__ */ jsxs2("div", { children: [
    /* @__PURE__ */ jsx2("h3", { children: label }),
    /* @__PURE__ */ jsx2(Chart, { label, times, series, height: 140 })
  ] });
  const last = (key) => {
    const found = shown.findLast((bucket) => bucket[key] !== null)?.[key];
    return found === null || found === void 0 ? "–" : span(found);
  };
  const lasting = (kind) => t(`queues.${kind}`, { p50: last(`${kind}_p50`), p95: last(`${kind}_p95`) });
  const rate = 60 / seconds;
  return /* @__PURE__ */ jsxs2("div", { class: "curves", children: [
    chart(t("queues.backlog"), [
      { label: t("queues.waiting"), colour: "warn", values: backlog(buckets, waiting).slice(0, shown.length) }
    ]),
    chart(t("queues.throughput"), [
      of2("submitted", "queues.submitted", "info", rate),
      of2("done", "status.done", "good", rate),
      of2("failed", "status.failed", "bad", rate)
    ]),
    chart(lasting("wait"), [
      of2("wait_p50", "queues.p50", "info"),
      of2("wait_p95", "queues.p95", "warn")
    ]),
    chart(lasting("run"), [
      of2("run_p50", "queues.p50", "info"),
      of2("run_p95", "queues.p95", "warn")
    ])
  ] });
}
function backlog(buckets, waiting) {
  let left = waiting;
  return buckets.map(({ submitted, retried, started }) => {
    return submitted + retried - started;
  }).reverse().map((change) => {
    const at = Math.max(left, 0);
    left -= change;
    return at;
  }).reverse();
}

// src/pages/queues/groups.tsx
import { jsx as jsx3, jsxs as jsxs3 } from "./vendor.js";
var SHOWN = 20;
function Groups({ queue }) {
  const groups = useResource(
    `groups of ${queue}`,
    (signal6) => get("/admin/queues/{name}/groups", {
      path: { name: queue },
      query: { waiting: true, limit: SHOWN },
      signal: signal6
    }),
    { everySeconds: 15 }
  );
  const found = groups.state.value.data;
  if (!found || found.document.length === 0) return null;
  return /* @__PURE__ */ jsxs3("section", { children: [
    /* @__PURE__ */ jsxs3("h2", { children: [
      t("queues.groups"),
      " ",
      /* @__PURE__ */ jsx3("small", { children: t("queues.groups_about") })
    ] }),
    /* @__PURE__ */ jsx3(
      Table,
      {
        label: t("queues.groups"),
        rows: found.document,
        rowKey: ({ group }) => group,
        columns: [
          { key: "group", title: t("queues.group"), cell: ({ group }) => group },
          {
            key: "held",
            title: t("queues.held"),
            cell: ({ held, running_limit }) => running_limit === null ? number(held) : t("queues.held_of", { held: number(held), limit: number(running_limit) }),
            isNumber: true
          },
          {
            key: "in_line",
            title: t("queues.in_line"),
            cell: ({ waiting }) => number(waiting),
            isNumber: true
          },
          {
            key: "weight",
            title: t("queues.weight"),
            cell: ({ weight }) => number(weight),
            isNumber: true
          },
          {
            key: "next_token",
            title: t("queues.next_token"),
            cell: ({ next_token_at }) => /* @__PURE__ */ jsx3(Time, { at: next_token_at })
          }
        ]
      }
    ),
    found.next && /* @__PURE__ */ jsx3("p", { class: "quiet", children: t("queues.groups_first", { n: SHOWN }) })
  ] });
}

// src/pages/task/why.tsx
import { jsx as jsx4, jsxs as jsxs4 } from "./vendor.js";
var TONES = {
  no_scheduler: "bad",
  row_locked: "bad",
  no_worker: "warn",
  queue_paused: "warn",
  unknown: "warn",
  held: "info",
  due: "good"
};
function Why({ task }) {
  const { id, status, updated_at } = task;
  const isEnded = ["done", "failed", "cancelled"].includes(status);
  const why = useResource(
    `why ${id} ${updated_at}`,
    async (signal6) => (await get("/tasks/{task_id}/why", { path: { task_id: id }, signal: signal6 })).document,
    // Of what has ended there is no more to say.
    { everySeconds: isEnded ? Infinity : 0, keepsOld: true }
  );
  return /* @__PURE__ */ jsxs4("section", { class: "why", children: [
    /* @__PURE__ */ jsx4("h2", { children: t(isEnded || status === "in_progress" ? "task.now" : "task.why") }),
    /* @__PURE__ */ jsx4(Loaded, { resource: why, children: ({ reasons, status: then }) => /* @__PURE__ */ jsx4("ul", { class: "findings", children: reasons.map((reason, index) => /* @__PURE__ */ jsxs4("li", { class: `finding ${TONES[reason.reason] ?? "off"}`, "data-reason": reason.reason, children: [
      /* @__PURE__ */ jsx4("p", { children: sentences(reason, task, then).join(" ") }),
      reason.reason === "queue_paused" && /* @__PURE__ */ jsx4("a", { href: hash(`/queues/${encodeURIComponent(task.queue)}`), children: task.queue })
    ] }, index)) }) })
  ] });
}
function sentences(reason, task, status) {
  const away = (at) => (Date.parse(at) - now.value) / 1e3;
  const when = (at) => distance(away(at));
  const lasted = (at) => span(Math.max(-away(at), 0));
  const { queue } = task;
  switch (reason.reason) {
    case "ended": {
      const values = { when: when(reason.since), used: task.current_retry_count, limit: task.retry_limit };
      return [t(`why.ended_${status}`, values)];
    }
    case "paused":
      return [t("why.paused", { when: when(reason.since) })];
    case "held": {
      const { worker, attempt, last_heartbeat_at, ends_at, ends_as, becomes } = reason;
      const said = [t("why.held", { worker: worker ?? "?", attempt, span: lasted(reason.started_at) })];
      if (last_heartbeat_at) said.push(t("why.held_heard", { when: when(last_heartbeat_at) }));
      const values = {
        when: when(ends_at),
        outcome: t(`outcome.${ends_as}`),
        status: t(`status.${becomes}`)
      };
      return [...said, t(away(ends_at) > 0 ? "why.held_until" : "why.held_over", values)];
    }
    case "waits_for_tasks": {
      const { unmet, total, at_least, parents } = reason;
      if (unmet === 0) return [t("why.waits_for_tasks_over")];
      const tasks = parents.map(({ id, status: status2 }) => `#${id} (${t(`status.${status2}`)})`).join(", ");
      return [t("why.waits_for_tasks", { n: unmet, total: at_least ? `${number(total)}+` : total, tasks })];
    }
    case "waits_for_slot": {
      const { group, held, running_limit, ahead, at_least } = reason;
      const whose = group === null ? t("why.slot_of_queue", { queue }) : t("why.slot_of_group", { group });
      const isFull = running_limit !== null && held >= running_limit;
      const values = { whose, held: number(held), limit: number(running_limit ?? 0) };
      const said = [t(isFull ? "why.waits_for_slot" : "why.waits_for_slot_free", values)];
      if (ahead === 0) return [...said, t("why.slot_next")];
      return [...said, t("why.slot_ahead", { n: at_least ? `${number(ahead)}+` : number(ahead) })];
    }
    case "not_yet": {
      const { until, retry, retry_limit } = reason;
      const values = { when: when(until), retry: retry ?? 0, limit: retry_limit ?? 0 };
      if (away(until) <= 0) return [t("why.not_yet_over", values)];
      return [t(retry === null ? "why.not_yet" : "why.not_yet_retry", values)];
    }
    case "no_scheduler":
      return reason.last_run_at === null ? [t("why.no_scheduler_ever")] : [t("why.no_scheduler", { span: lasted(reason.last_run_at) })];
    case "queue_paused":
      return [t("why.queue_paused", { queue, span: lasted(reason.since) })];
    case "row_locked":
      return [t(status === "in_progress" ? "why.row_locked_running" : "why.row_locked")];
    case "no_worker": {
      const { last_poll_at, in_progress } = reason;
      const said = last_poll_at === null ? t("why.no_worker", { queue }) : t("why.no_worker_since", { queue, span: lasted(last_poll_at) });
      return in_progress ? [said, t("why.no_worker_busy", { n: in_progress })] : [said];
    }
    case "behind": {
      const { tasks, at_least, ended_per_minute, expected_at } = reason;
      const said = [t(at_least ? "why.behind_at_least" : "why.behind", { n: tasks })];
      if (ended_per_minute === 0) said.push(t("why.behind_still"));
      else if (ended_per_minute !== null) said.push(t("why.behind_pace", { n: number(ended_per_minute, 1) }));
      if (expected_at) said.push(t("why.behind_expected", { when: when(expected_at) }));
      return said;
    }
    case "due":
      return [t("why.due", { span: lasted(reason.since) })];
    case "unknown":
      return [t(`why.unknown_${reason.part}`)];
  }
}

// src/pages/queues/head_of_line.tsx
import { Fragment, jsx as jsx5, jsxs as jsxs5 } from "./vendor.js";
var SHOWN2 = 5;
var LOOKED_AT = 50;
var EVERY_SECONDS = 20;
function HeadOfLine({ queue }) {
  const first = ["高", "中", "低"].find(
    (priority) => sum([queue], ({ tasks }) => (tasks.to_do?.[priority] ?? 0) + (tasks.retrying?.[priority] ?? 0))
  );
  const key = `head of ${queue.queue} ${first}`;
  const head = useResource(key, (signal6) => headOf(queue.queue, first, signal6), {
    everySeconds: EVERY_SECONDS,
    keepsOld: true
  });
  return /* @__PURE__ */ jsxs5("section", { children: [
    /* @__PURE__ */ jsxs5("h2", { children: [
      t("queues.head"),
      " ",
      /* @__PURE__ */ jsx5("small", { children: t("queues.head_about") })
    ] }),
    /* @__PURE__ */ jsx5(Loaded, { resource: head, children: (tasks) => /* @__PURE__ */ jsxs5(Fragment, { children: [
      tasks[0] && /* @__PURE__ */ jsx5(Why2, { task: tasks[0] }),
      /* @__PURE__ */ jsx5(
        Table,
        {
          label: t("queues.head"),
          rows: tasks,
          rowKey: (task) => String(task.id),
          href: (task) => hash(`/tasks/${task.id}`),
          columns: [
            {
              key: "id",
              title: t("queues.task"),
              cell: (task) => /* @__PURE__ */ jsxs5("a", { class: "cut", href: hash(`/tasks/${task.id}`), children: [
                task.id,
                " ",
                task.title
              ] })
            },
            { key: "status", title: t("queues.status"), cell: (task) => /* @__PURE__ */ jsx5(StatusChip, { status: task.status }) },
            { key: "priority", title: t("queues.priority"), cell: (task) => priorityText(task.priority) },
            { key: "created", title: t("queues.created"), cell: (task) => /* @__PURE__ */ jsx5(Time, { at: task.created_at }) },
            {
              key: "available",
              title: t("queues.available"),
              cell: (task) => /* @__PURE__ */ jsx5(Time, { at: task.waiting_on === "time" ? task.available_at : null })
            }
          ]
        }
      )
    ] }) })
  ] });
}
function Why2({ task }) {
  const { id } = task;
  const why = useResource(
    `why ${id}`,
    (signal6) => get("/tasks/{task_id}/why", { path: { task_id: id }, signal: signal6 }),
    { everySeconds: EVERY_SECONDS }
  );
  const found = why.state.value.data?.document;
  return found?.reasons.map((reason) => /* @__PURE__ */ jsxs5("p", { class: "finding off", "data-reason": reason.reason, children: [
    /* @__PURE__ */ jsx5("strong", { children: id }),
    " ",
    sentences(reason, task, found.status).join(" ")
  ] }, reason.reason));
}
async function headOf(queue, priority, signal6) {
  const { document: document2 } = await get("/tasks", {
    query: {
      queue: [queue],
      status: ["to_do", "retrying"],
      priority: [priority],
      order: "asc",
      view: "summary",
      limit: LOOKED_AT
    },
    signal: signal6
  });
  const due = document2.filter((task) => task.waiting_on === null);
  return (due.length ? due : document2).slice(0, SHOWN2);
}

// src/pages/queues/matrix.tsx
import { jsx as jsx6, jsxs as jsxs6 } from "./vendor.js";
var PRIORITIES = ["高", "中", "低"];
function Matrix({ queue }) {
  const rows = Object.entries(queue.tasks).map(([status, counts]) => ({
    status,
    counts,
    all: Object.values(counts).reduce((sum3, each) => sum3 + each, 0)
  }));
  const cell = (row, n, priority) => n ? /* @__PURE__ */ jsx6(
    "a",
    {
      href: hash("/tasks", { queue: queue.queue, status: row.status, priority: priority ?? null }),
      children: number(n)
    }
  ) : /* @__PURE__ */ jsx6("span", { class: "quiet", children: "0" });
  const columns3 = [
    { key: "status", title: t("queues.status"), cell: (row) => /* @__PURE__ */ jsx6(StatusChip, { status: row.status }) },
    ...PRIORITIES.map((priority) => ({
      key: priority,
      title: priorityText(priority),
      cell: (row) => cell(row, row.counts[priority] ?? 0, priority),
      isNumber: true
    })),
    { key: "all", title: t("queues.sum"), cell: (row) => cell(row, row.all), isNumber: true }
  ];
  return /* @__PURE__ */ jsxs6("section", { children: [
    /* @__PURE__ */ jsx6("h2", { children: t("queues.matrix") }),
    /* @__PURE__ */ jsx6(Table, { label: t("queues.matrix"), rows, columns: columns3, rowKey: (row) => row.status })
  ] });
}

// src/pages/queues/pausing.tsx
import { jsx as jsx7 } from "./vendor.js";
function PauseButton({ queue, isPaused }) {
  if (!opens("admin")) return null;
  return /* @__PURE__ */ jsx7("button", { type: "button", onClick: () => void set(queue, !isPaused), children: t(isPaused ? "queues.resume" : "queues.pause") });
}
async function set(queue, isPaused, isUndo = false) {
  try {
    const path2 = { name: queue };
    await (isPaused ? call("post", "/admin/queues/{name}/pause", { path: path2 }) : call("post", "/admin/queues/{name}/resume", { path: path2 }));
  } catch (error) {
    return tellProblem(error);
  }
  tell(
    t(isPaused ? "queues.is_paused" : "queues.is_resumed", { queue }),
    isUndo ? {} : { undo: () => void set(queue, !isPaused, true) }
  );
  await refreshAll();
}

// src/pages/workers/table.tsx
import { Fragment as Fragment2, jsx as jsx8, jsxs as jsxs7 } from "./vendor.js";
var TONES2 = { running: "info", polling: "good", silent: "off" };
var QUEUES_SHOWN = 4;
function StateChip({ state }) {
  return /* @__PURE__ */ jsx8(Chip, { tone: TONES2[state], children: t(`workers.${state}`) });
}
function QueueLinks({ queues }) {
  return /* @__PURE__ */ jsxs7(Fragment2, { children: [
    queues.slice(0, QUEUES_SHOWN).map((queue) => /* @__PURE__ */ jsxs7("span", { children: [
      /* @__PURE__ */ jsx8("a", { href: queueHash(queue), children: queue }),
      " "
    ] }, queue)),
    queues.length > QUEUES_SHOWN && /* @__PURE__ */ jsx8("span", { class: "quiet", title: queues.join(" "), children: t("workers.more", { n: queues.length - QUEUES_SHOWN }) })
  ] });
}
function WorkerTable({ workers }) {
  const to = (worker) => hash(`/workers/${encodeURIComponent(worker.worker)}`);
  const columns3 = [
    {
      key: "worker",
      title: t("workers.worker"),
      by: (worker) => worker.worker,
      cell: (worker) => /* @__PURE__ */ jsx8("a", { class: "cut", href: to(worker), children: worker.worker })
    },
    {
      key: "state",
      title: t("workers.state"),
      by: (worker) => worker.state,
      cell: (worker) => /* @__PURE__ */ jsx8(StateChip, { state: worker.state })
    },
    {
      key: "running",
      title: t("workers.tasks"),
      by: (worker) => worker.running,
      cell: (worker) => worker.running ? /* @__PURE__ */ jsx8("a", { href: hash("/tasks", { worker: worker.worker, status: "in_progress" }), children: number(worker.running) }) : /* @__PURE__ */ jsx8("span", { class: "quiet", children: "0" }),
      isNumber: true
    },
    {
      key: "oldest",
      title: t("workers.oldest"),
      by: (worker) => worker.oldest_started_at,
      cell: (worker) => /* @__PURE__ */ jsx8(Time, { at: worker.oldest_started_at })
    },
    {
      key: "seen",
      title: t("workers.last_seen"),
      by: (worker) => worker.last_seen_at,
      cell: (worker) => /* @__PURE__ */ jsx8(Time, { at: worker.last_seen_at })
    },
    { key: "queues", title: t("queues.title"), cell: (worker) => /* @__PURE__ */ jsx8(QueueLinks, { queues: worker.queues }) },
    {
      key: "agent",
      title: t("workers.agent"),
      by: (worker) => worker.agent,
      cell: (worker) => /* @__PURE__ */ jsx8("span", { class: "cut", children: worker.agent ?? "–" }),
      isMinor: true
    }
  ];
  return /* @__PURE__ */ jsx8(
    Table,
    {
      label: t("workers.title"),
      rows: workers,
      columns: columns3,
      rowKey: (worker) => worker.worker,
      href: to,
      isFaded: (worker) => worker.state === "silent"
    }
  );
}

// src/pages/queues/serving.tsx
import { Fragment as Fragment3, jsx as jsx9, jsxs as jsxs8 } from "./vendor.js";
function Serving({ queue, isWaiting }) {
  const workers = useResource(
    `workers of ${queue}`,
    (signal6) => get("/admin/workers", { query: { queue: [queue] }, signal: signal6 }),
    { everySeconds: 15 }
  );
  return /* @__PURE__ */ jsxs8("section", { children: [
    /* @__PURE__ */ jsx9("h2", { children: t("workers.title") }),
    /* @__PURE__ */ jsx9(Loaded, { resource: workers, children: ({ document: document2, next }) => {
      const isServed = document2.some((worker) => worker.state !== "silent");
      const last = document2.map((worker) => worker.last_seen_at).sort().at(-1);
      return /* @__PURE__ */ jsxs8(Fragment3, { children: [
        !isServed && /* @__PURE__ */ jsxs8("p", { class: `note ${isWaiting ? "warn" : "off"}`, children: [
          last ? t("queues.unserved") : t("queues.never_served"),
          " ",
          last && /* @__PURE__ */ jsx9(Time, { at: last })
        ] }),
        document2.length > 0 && /* @__PURE__ */ jsx9(WorkerTable, { workers: document2 }),
        /* @__PURE__ */ jsx9(Pager, { next })
      ] });
    } })
  ] });
}

// src/pages/queues/settings.tsx
import { useState } from "./vendor.js";

// src/pages/queues/rates.tsx
import { jsx as jsx10, jsxs as jsxs9 } from "./vendor.js";
var RATES = ["rate", "rate_per_group"];
var PARTS = ["limit", "per_seconds", "burst"];
function RateFields({ stored }) {
  return RATES.map((rate) => /* @__PURE__ */ jsx10("fieldset", { class: "row", disabled: !opens("admin"), children: PARTS.map((part) => /* @__PURE__ */ jsxs9("label", { children: [
    t(`queues.${rate}_${part}`),
    /* @__PURE__ */ jsx10("input", { name: `${rate}.${part}`, type: "number", min: "1", defaultValue: stored[rate]?.[part] ?? "" })
  ] }, part)) }, rate));
}
function ratesOf(typed) {
  return Object.fromEntries(
    RATES.map((rate) => {
      const filled = PARTS.filter((part) => typed.get(`${rate}.${part}`) !== "");
      const found = filled.map((part) => [part, Number(typed.get(`${rate}.${part}`))]);
      return [rate, found.length ? Object.fromEntries(found) : null];
    })
  );
}

// src/pages/queues/settings.tsx
import { Fragment as Fragment4, jsx as jsx11, jsxs as jsxs10 } from "./vendor.js";
var AGEING = ["中", "低"];
var LIMITS = ["running", "running_per_group"];
function Settings({ queue }) {
  const settings = useResource(
    `settings of ${queue}`,
    async (signal6) => (await get("/admin/queues/{name}/settings", { path: { name: queue }, signal: signal6 })).document,
    { everySeconds: 60 }
  );
  return /* @__PURE__ */ jsxs10("section", { children: [
    /* @__PURE__ */ jsx11("h2", { children: t("queues.settings") }),
    /* @__PURE__ */ jsx11(Loaded, { resource: settings, children: (stored) => (
      // What a person has typed stays until what is stored is something else.
      /* @__PURE__ */ jsx11(Form, { stored, onSaved: settings.refresh }, JSON.stringify({ ...stored, in_force_at: null }))
    ) })
  ] });
}
function Form({ stored, onSaved }) {
  const [wrong, setWrong] = useState([]);
  const { queue, in_force_at, ...others } = stored;
  const save = async (event) => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget);
    const filled = AGEING.filter((each) => typed.get(each) !== "");
    const ages = Object.fromEntries(filled.map((each) => [each, Number(typed.get(each))]));
    const limits = Object.fromEntries(
      LIMITS.map((each) => [each, typed.get(each) === "" ? null : Number(typed.get(each))])
    );
    setWrong([]);
    try {
      await call("put", "/admin/queues/{name}/settings", {
        path: { name: queue },
        // What this page does not show stays as it is.
        body: {
          ...others,
          ...limits,
          ...ratesOf(typed),
          fair: typed.has("fair"),
          ageing_seconds: filled.length ? ages : null
        }
      });
    } catch (error) {
      if (!(error instanceof Problem) || error.fields.length === 0) return tellProblem(error);
      return setWrong(error.fields.map(({ field, message }) => `${field}: ${message}`));
    }
    tell(t("queues.saved", { queue }));
    await onSaved();
  };
  return /* @__PURE__ */ jsxs10("form", { class: "card wide", onSubmit: (event) => void save(event), children: [
    /* @__PURE__ */ jsx11("p", { class: "quiet", children: t("queues.ageing_about") }),
    /* @__PURE__ */ jsx11("fieldset", { class: "row", disabled: !opens("admin"), children: AGEING.map((priority) => /* @__PURE__ */ jsxs10("label", { children: [
      t("queues.ageing", { priority: priorityText(priority) }),
      /* @__PURE__ */ jsx11(
        "input",
        {
          name: priority,
          type: "number",
          min: "0",
          defaultValue: stored.ageing_seconds?.[priority] ?? ""
        }
      )
    ] }, priority)) }),
    /* @__PURE__ */ jsx11("p", { class: "quiet", children: t("queues.limits_about") }),
    /* @__PURE__ */ jsx11("fieldset", { class: "row", disabled: !opens("admin"), children: LIMITS.map((each) => /* @__PURE__ */ jsxs10("label", { children: [
      t(`queues.${each}`),
      /* @__PURE__ */ jsx11("input", { name: each, type: "number", min: "1", defaultValue: stored[each] ?? "" })
    ] }, each)) }),
    /* @__PURE__ */ jsx11("p", { class: "quiet", children: t("queues.rates_about") }),
    /* @__PURE__ */ jsx11(RateFields, { stored }),
    /* @__PURE__ */ jsxs10("fieldset", { class: "row", disabled: !opens("admin"), children: [
      /* @__PURE__ */ jsxs10("label", { class: "choice", children: [
        /* @__PURE__ */ jsx11("input", { name: "fair", type: "checkbox", defaultChecked: stored.fair }),
        t("queues.fair")
      ] }),
      opens("admin") && /* @__PURE__ */ jsx11("button", { type: "submit", children: t("queues.save") })
    ] }),
    wrong.map((each) => /* @__PURE__ */ jsx11("p", { class: "note bad", role: "alert", children: each }, each)),
    /* @__PURE__ */ jsx11("p", { class: "quiet", children: in_force_at === null ? t("queues.never_set") : /* @__PURE__ */ jsxs10(Fragment4, { children: [
      t(Date.parse(in_force_at) > now.value ? "queues.will_be_in_force" : "queues.in_force"),
      " ",
      /* @__PURE__ */ jsx11(Time, { at: in_force_at })
    ] }) })
  ] });
}

// src/pages/queues/one.tsx
import { Fragment as Fragment5, jsx as jsx12, jsxs as jsxs11 } from "./vendor.js";
function OneQueue({ name }) {
  const stats = useResource(
    `stats of ${name}`,
    (signal6) => get("/stats", { query: { queue: [name] }, signal: signal6 })
  );
  return /* @__PURE__ */ jsx12(Loaded, { resource: stats, children: ({ document: document2 }) => {
    const queue = document2.queues[0] ?? null;
    return /* @__PURE__ */ jsxs11(Fragment5, { children: [
      /* @__PURE__ */ jsxs11("section", { class: "row", children: [
        /* @__PURE__ */ jsx12("strong", { class: "name", children: name }),
        queue?.paused && /* @__PURE__ */ jsxs11(Chip, { tone: "off", children: [
          t("status.paused"),
          " ",
          /* @__PURE__ */ jsx12(Time, { at: queue.paused_at })
        ] }),
        /* @__PURE__ */ jsx12(PauseButton, { queue: name, isPaused: queue?.paused ?? false }),
        /* @__PURE__ */ jsx12("a", { href: hash("/tasks", { queue: name }), children: t("queues.tasks") }),
        /* @__PURE__ */ jsx12("a", { href: hash("/queues"), children: t("queues.all") })
      ] }),
      /* @__PURE__ */ jsx12(Overseen, { children: /* @__PURE__ */ jsx12(Serving, { queue: name, isWaiting: (queue?.waiting ?? 0) > 0 }) }),
      queue ? /* @__PURE__ */ jsxs11(Fragment5, { children: [
        /* @__PURE__ */ jsx12(Matrix, { queue }),
        queue.waiting > 0 && /* @__PURE__ */ jsx12(HeadOfLine, { queue })
      ] }) : /* @__PURE__ */ jsx12("section", { children: /* @__PURE__ */ jsx12(Empty, { children: /* @__PURE__ */ jsx12("p", { children: t("queues.empty", { queue: name }) }) }) }),
      /* @__PURE__ */ jsx12(Overseen, { children: /* @__PURE__ */ jsx12(Groups, { queue: name }) }),
      /* @__PURE__ */ jsx12(Curves, { queue: name, waiting: queue?.waiting ?? 0 }),
      /* @__PURE__ */ jsx12(Overseen, { children: /* @__PURE__ */ jsx12(Settings, { queue: name }) })
    ] });
  } });
}

// src/pages/queues/trend.tsx
import { useEffect, useRef, useState as useState2 } from "./vendor.js";

// src/parts/sparkline.tsx
import { jsx as jsx13 } from "./vendor.js";
var WIDTH = 96;
var HEIGHT = 24;
function Sparkline({ values, label }) {
  const most = Math.max(...values.map((value) => value ?? 0), 1);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const y = (value) => HEIGHT - 1 - value / most * (HEIGHT - 2);
  let path2 = "";
  values.forEach((value, index) => {
    if (value === null) return;
    const starts = index === 0 || values[index - 1] === null;
    path2 += `${starts ? "M" : "L"}${(index * step).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return /* @__PURE__ */ jsx13("svg", { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, children: /* @__PURE__ */ jsx13("path", { d: path2 }) });
}

// src/pages/queues/trend.tsx
import { jsx as jsx14 } from "./vendor.js";
var FRESH_SECONDS = 600;
var APART_SECONDS = 15;
var TURNS = 40;
var turns = 0;
var known = /* @__PURE__ */ new Map();
function Trend({ queue }) {
  const place2 = useRef(null);
  const [isSeen, setSeen] = useState2(false);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => setSeen(entry.isIntersecting));
    watch.observe(place2.current);
    return () => watch.disconnect();
  }, []);
  return /* @__PURE__ */ jsx14("span", { class: "trend", ref: place2, children: isSeen && /* @__PURE__ */ jsx14(Curve, { queue }) });
}
function Curve({ queue }) {
  const [turn] = useState2(() => turns++ % TURNS);
  const { data } = useResource(`trend ${queue}`, (signal6) => doneOf(queue, signal6), {
    everySeconds: FRESH_SECONDS + turn * APART_SECONDS
  }).state.value;
  if (!data) return null;
  const done = data.reduce((sum3, each) => sum3 + each, 0);
  return /* @__PURE__ */ jsx14(Sparkline, { values: data, label: t("queues.trend_of", { n: number(done) }) });
}
async function doneOf(queue, signal6) {
  const last = known.get(queue);
  if (last && performance.now() - last.at < FRESH_SECONDS * 1e3) return last.values;
  const { document: document2 } = await get("/stats/history", { query: { queue, minutes: 60 }, signal: signal6 });
  const values = document2.buckets.filter((each) => each.is_complete).map((each) => each.done);
  known.set(queue, { at: performance.now(), values });
  return values;
}

// src/pages/queues/page.tsx
import { Fragment as Fragment6, jsx as jsx15, jsxs as jsxs12 } from "./vendor.js";
var ON_A_PAGE = 200;
var LEAST_SECONDS = 4;
function Queues({ rest }) {
  return rest ? /* @__PURE__ */ jsx15(OneQueue, { name: rest }) : /* @__PURE__ */ jsx15(AllQueues, {});
}
function AllQueues() {
  const cursor = location.value.query.get("cursor");
  const stats = useResource(
    `stats ${cursor}`,
    (signal6) => get("/stats", { query: { limit: ON_A_PAGE, ...cursor && { cursor } }, signal: signal6 }),
    { everySeconds: LEAST_SECONDS, keepsOld: true }
  );
  const shown = [
    ...columns(),
    {
      key: "trend",
      title: t("queues.trend"),
      cell: ({ queue }) => /* @__PURE__ */ jsx15(Trend, { queue }),
      isMinor: true
    }
  ];
  return /* @__PURE__ */ jsxs12(Fragment6, { children: [
    /* @__PURE__ */ jsx15("form", { class: "row finder", onSubmit: find, children: /* @__PURE__ */ jsx15("input", { "data-filter": true, name: "queue", "aria-label": t("queues.find"), placeholder: t("queues.find") }) }),
    /* @__PURE__ */ jsx15(Loaded, { resource: stats, children: ({ document: document2, next }) => /* @__PURE__ */ jsxs12("section", { children: [
      document2.queues.length === 0 ? /* @__PURE__ */ jsx15(Empty, {}) : /* @__PURE__ */ jsx15(
        Table,
        {
          label: t("queues.title"),
          rows: document2.queues,
          columns: shown,
          rowKey: (queue) => queue.queue,
          href: (queue) => queueHash(queue.queue)
        }
      ),
      (next !== null || cursor !== null) && /* @__PURE__ */ jsx15("p", { class: "quiet", children: t("queues.by_name", { n: document2.queues.length }) }),
      /* @__PURE__ */ jsx15(Pager, { next })
    ] }) })
  ] });
}
function find(event) {
  event.preventDefault();
  const name = String(new FormData(event.currentTarget).get("queue")).trim();
  if (name) go(`/queues/${encodeURIComponent(name)}`);
}

// src/json/writer.ts
function writeDocument(value) {
  return new JsonText(textOf(value));
}
function textOf(value) {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${textOf(each)}`);
  return `{${parts.join()}}`;
}

// src/parts/json_view.tsx
import { useState as useState3 } from "./vendor.js";

// src/json/layout.ts
var PART = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;
function layOut(text, limit) {
  const lines = [];
  let depth = 0;
  let line = { depth, tokens: [] };
  const parts = text.matchAll(PART);
  let next = parts.next();
  while (!next.done) {
    const part = next.value[0];
    next = parts.next();
    const following = next.done ? "" : next.value[0];
    const opens2 = part === "{" || part === "[";
    if (opens2 && (following === "}" || following === "]")) {
      line.tokens.push({ kind: "sign", text: part + following });
      next = parts.next();
    } else if (opens2) {
      line.tokens.push({ kind: "sign", text: part });
      lines.push(line);
      line = { depth: ++depth, tokens: [] };
    } else if (part === "}" || part === "]") {
      if (line.tokens.length) lines.push(line);
      line = { depth: --depth, tokens: [{ kind: "sign", text: part }] };
    } else if (part === ",") {
      line.tokens.push({ kind: "sign", text: "," });
      lines.push(line);
      line = { depth, tokens: [] };
    } else if (part === ":") {
      line.tokens.push({ kind: "sign", text: ": " });
    } else {
      line.tokens.push({ kind: kindOf(part, following), text: part });
    }
    if (lines.length >= limit) return { lines: lines.slice(0, limit), isWhole: false };
  }
  if (line.tokens.length) lines.push(line);
  return { lines: lines.slice(0, limit), isWhole: lines.length <= limit };
}
function kindOf(part, following) {
  if (part[0] === '"') return following === ":" ? "key" : "text";
  return /^[-\d]/.test(part) ? "number" : "word";
}

// src/parts/json_view.tsx
import { jsx as jsx16, jsxs as jsxs13 } from "./vendor.js";
var LINES = 60;
var CHARACTERS = 2e4;
var ALL = 5e3;
function JsonView({ value, label }) {
  const [isWhole, setWhole] = useState3(false);
  if (value === null) return /* @__PURE__ */ jsx16("span", { class: "quiet", children: t("json.none") });
  const { text } = value;
  const laidOut = layOut(isWhole ? text : text.slice(0, CHARACTERS), isWhole ? ALL : LINES);
  const isCut = !laidOut.isWhole || !isWhole && text.length > CHARACTERS;
  return /* @__PURE__ */ jsxs13("div", { class: "json", children: [
    /* @__PURE__ */ jsx16("pre", { tabIndex: 0, "aria-label": label, children: isWhole && !laidOut.isWhole ? text : laidOut.lines.map((line, index) => /* @__PURE__ */ jsxs13("span", { class: "line", children: [
      "  ".repeat(line.depth),
      line.tokens.map((token, at) => /* @__PURE__ */ jsx16("span", { class: token.kind, children: !isWhole && token.text.length > 500 ? `${token.text.slice(0, 500)}…` : token.text }, at)),
      "\n"
    ] }, index)) }),
    /* @__PURE__ */ jsxs13("p", { class: "row", children: [
      /* @__PURE__ */ jsx16(CopyButton, { text }),
      (isCut || isWhole) && /* @__PURE__ */ jsx16("button", { type: "button", class: "plain", onClick: () => setWhole(!isWhole), children: isWhole ? t("action.show_less") : t("action.show_all", { size: bytes(new Blob([text]).size) }) })
    ] })
  ] });
}

// src/state/together.ts
function together(...resources) {
  const states = resources.map((each) => each.state.value);
  const isThere = states.every((state) => state.data !== null);
  const value = {
    data: isThere ? states.map((state) => state.data) : null,
    at: isThere ? Math.min(...states.map((state) => state.at ?? Infinity)) : null,
    problem: states.find((state) => state.problem !== null)?.problem ?? null,
    isLoading: states.some((state) => state.isLoading)
  };
  const refresh = async () => {
    await Promise.all(resources.map((each) => each.refresh()));
  };
  return { state: { value }, refresh };
}

// src/pages/schedules/actions.tsx
import { useRef as useRef2, useState as useState5 } from "./vendor.js";

// src/pages/schedules/backfill.tsx
import { useEffect as useEffect2, useState as useState4 } from "./vendor.js";
import { jsx as jsx17, jsxs as jsxs14 } from "./vendor.js";
var MOST = 1e3;
var PAGE = 100;
function Backfill({ schedule, onClose }) {
  const [from, setFrom] = useState4(wall(now.peek() - 864e5));
  const [to, setTo] = useState4(wall(now.peek()));
  const [said, setSaid] = useState4("");
  const [isFit, setFit] = useState4(false);
  const [begin2, end] = [new Date(from), new Date(to)];
  const path2 = { name: schedule.name };
  useEffect2(() => {
    const under = new AbortController();
    const count2 = async () => {
      setFit(false);
      if (!(begin2 < end)) return setSaid(t("schedules.backfill_order"));
      if (end.getTime() > now.peek()) return setSaid(t("schedules.backfill_future"));
      setSaid("…");
      try {
        const n = await countOf(schedule.name, begin2, end, under.signal);
        setFit(n > 0 && n <= MOST);
        setSaid(t(n > MOST ? "schedules.backfill_many" : "schedules.backfill_count", { n }));
      } catch (error) {
        if (under.signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        setSaid(problemText(error));
      }
    };
    void count2();
    return () => under.abort();
  }, [from, to]);
  const submit = async () => {
    try {
      const body = { from: begin2.toISOString(), to: end.toISOString() };
      const { document: document2 } = await call("post", "/schedules/{name}/backfill", { path: path2, body });
      tell(t("schedules.backfilled", { n: document2.submitted, existing: document2.existing }));
      await refreshAll();
    } catch (error) {
      tellProblem(error);
    }
  };
  return /* @__PURE__ */ jsxs14(
    ConfirmDialog,
    {
      title: t("schedules.backfill_of", path2),
      confirm: t("schedules.backfill"),
      isDisabled: !isFit,
      onConfirm: () => void submit(),
      onClose,
      children: [
        /* @__PURE__ */ jsxs14("label", { children: [
          t("schedules.from"),
          /* @__PURE__ */ jsx17(Moment, { value: from, onChange: setFrom })
        ] }),
        /* @__PURE__ */ jsxs14("label", { children: [
          t("schedules.to"),
          /* @__PURE__ */ jsx17(Moment, { value: to, onChange: setTo })
        ] }),
        /* @__PURE__ */ jsx17("p", { role: "status", children: said })
      ]
    }
  );
}
function Moment({ value, onChange }) {
  return /* @__PURE__ */ jsx17(
    "input",
    {
      type: "datetime-local",
      step: "1",
      required: true,
      value,
      onInput: (event) => onChange(event.currentTarget.value)
    }
  );
}
function wall(at) {
  return new Date(at - new Date(at).getTimezoneOffset() * 6e4).toISOString().slice(0, 19);
}
async function countOf(name, begin2, end, signal6) {
  let found = 0;
  let after = new Date(begin2.getTime() - 1).toISOString();
  while (found <= MOST) {
    const query = { count: PAGE, after };
    const { document: document2 } = await get("/schedules/{name}/next", { path: { name }, query, signal: signal6 });
    const within = document2.filter((each) => Date.parse(each.occurrence_at) < end.getTime());
    found += within.length;
    if (within.length < PAGE) break;
    after = within.at(-1).occurrence_at;
  }
  return found;
}

// src/pages/schedules/actions.tsx
import { Fragment as Fragment7, jsx as jsx18, jsxs as jsxs15 } from "./vendor.js";
function Actions({ schedule }) {
  const [isFilling, setFilling] = useState5(false);
  const key = useRef2(null);
  const path2 = { name: schedule.name };
  const toggle = async (verb, isUndo = false) => {
    try {
      await call("post", `/admin/schedules/{name}/${verb}`, { path: path2 });
      const undo2 = () => void toggle(verb === "pause" ? "resume" : "pause", true);
      tell(t(`schedules.${verb}d`, path2), isUndo ? {} : { undo: undo2 });
      await refreshAll();
    } catch (error) {
      tellProblem(error);
    }
  };
  const run2 = async () => {
    key.current ??= newKey();
    try {
      const headers = { "Idempotency-Key": key.current };
      const { document: document2 } = await call("post", "/schedules/{name}/run", { path: path2, headers });
      key.current = null;
      tell(t("schedules.ran", { id: String(document2.id) }));
      await refreshAll();
    } catch (error) {
      if (error instanceof Problem && error.status > 0 && error.status < 500) key.current = null;
      tellProblem(error);
    }
  };
  return /* @__PURE__ */ jsxs15(Fragment7, { children: [
    opens("admin") && /* @__PURE__ */ jsx18("button", { type: "button", onClick: () => void toggle(schedule.paused_at ? "resume" : "pause"), children: t(schedule.paused_at ? "schedules.resume" : "schedules.pause") }),
    opens("client") && /* @__PURE__ */ jsxs15(Fragment7, { children: [
      /* @__PURE__ */ jsx18("button", { type: "button", onClick: () => void run2(), children: t("schedules.run") }),
      /* @__PURE__ */ jsx18("button", { type: "button", onClick: () => setFilling(true), children: t("schedules.backfill") })
    ] }),
    isFilling && /* @__PURE__ */ jsx18(Backfill, { schedule, onClose: () => setFilling(false) })
  ] });
}
function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
}

// src/pages/schedules/next.tsx
import { Fragment as Fragment8, jsx as jsx19, jsxs as jsxs16 } from "./vendor.js";
function Next({ schedule, occurrences }) {
  const columns3 = [
    { key: "in", title: t("schedules.in"), cell: (each) => /* @__PURE__ */ jsx19(Time, { at: each.occurrence_at }) },
    {
      key: "local",
      title: t("schedules.in_zone", { zone: schedule.timezone }),
      cell: (each) => onTheWall(each.local)
    },
    {
      key: "here",
      title: t("schedules.here"),
      cell: (each) => /* @__PURE__ */ jsx19(Time, { at: each.occurrence_at, as: "moment" })
    }
  ];
  if (schedule.jitter_seconds) {
    const cell = (each) => /* @__PURE__ */ jsx19(Time, { at: each.due_at, as: "moment" });
    columns3.push({ key: "due", title: t("schedules.due"), cell });
  }
  return /* @__PURE__ */ jsxs16("section", { children: [
    /* @__PURE__ */ jsxs16("h2", { children: [
      t("schedules.upcoming"),
      " ",
      schedule.paused_at && /* @__PURE__ */ jsx19("small", { children: t("schedules.upcoming_paused") })
    ] }),
    occurrences.length > 0 ? /* @__PURE__ */ jsx19(
      Table,
      {
        label: t("schedules.upcoming"),
        rows: occurrences,
        columns: columns3,
        rowKey: (each) => each.occurrence_at
      }
    ) : /* @__PURE__ */ jsx19("p", { class: "quiet", children: t("schedules.no_more") })
  ] });
}
function onTheWall(local) {
  const [, clock = "", offset = ""] = /^(.{19})[.\d]*(.*)$/.exec(local) ?? [];
  const shown = localTime(/* @__PURE__ */ new Date(`${clock}Z`), {
    ...{ weekday: "short", year: "numeric", month: "short", day: "numeric", timeZone: "UTC" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit" }
  });
  return /* @__PURE__ */ jsxs16(Fragment8, { children: [
    shown,
    " ",
    /* @__PURE__ */ jsx19("small", { class: "quiet", children: offset })
  ] });
}

// src/pages/schedules/task_link.tsx
import { jsx as jsx20, jsxs as jsxs17 } from "./vendor.js";
function TaskLink({ id }) {
  return id === null ? /* @__PURE__ */ jsx20("span", { class: "quiet", children: "–" }) : /* @__PURE__ */ jsxs17("a", { href: hash(`/tasks/${id}`), children: [
    "#",
    id
  ] });
}

// src/pages/schedules/runs.tsx
import { Fragment as Fragment9, jsx as jsx21, jsxs as jsxs18 } from "./vendor.js";
var TONES3 = {
  submitted: "good",
  skipped_overlap: "off",
  skipped_late: "warn",
  skipped_unique: "off"
};
function Runs({ runs }) {
  const columns3 = [
    {
      key: "occurrence",
      title: t("schedules.occurrence"),
      cell: (run2) => /* @__PURE__ */ jsx21(Time, { at: run2.occurrence_at, as: "moment" })
    },
    {
      key: "outcome",
      title: t("schedules.outcome"),
      cell: (run2) => /* @__PURE__ */ jsxs18(Fragment9, { children: [
        /* @__PURE__ */ jsx21(Chip, { tone: TONES3[run2.outcome], children: t(`schedules.${run2.outcome}`) }),
        " ",
        run2.skipped > 1 && t("schedules.skipped", { n: run2.skipped })
      ] })
    },
    {
      key: "task",
      title: t("schedules.run_task"),
      cell: (run2) => /* @__PURE__ */ jsx21(TaskLink, { id: run2.task_id }),
      isNumber: true
    },
    { key: "kind", title: t("schedules.kind"), cell: (run2) => t(`schedules.kind.${run2.kind}`) },
    { key: "fired", title: t("schedules.fired"), cell: (run2) => /* @__PURE__ */ jsx21(Time, { at: run2.fired_at }) }
  ];
  if (runs.length === 0) return /* @__PURE__ */ jsx21(Empty, {});
  return /* @__PURE__ */ jsx21(
    Table,
    {
      label: t("schedules.runs"),
      rows: runs,
      columns: columns3,
      rowKey: (run2) => run2.occurrence_at
    }
  );
}

// src/pages/schedules/schedule.tsx
import { jsx as jsx22 } from "./vendor.js";
function hrefOf(name) {
  return hash(`/schedules/${encodeURIComponent(name)}`);
}
function Recurrence({ schedule }) {
  const { cron, interval_seconds: seconds } = schedule;
  if (cron !== null) return /* @__PURE__ */ jsx22("code", { children: cron });
  return /* @__PURE__ */ jsx22("span", { title: `${seconds} s`, children: t("schedules.every", { span: span(seconds) }) });
}
function StateChip2({ schedule }) {
  if (schedule.paused_at) return /* @__PURE__ */ jsx22(Chip, { tone: "off", children: t("status.paused") });
  if (!schedule.next_at) return /* @__PURE__ */ jsx22(Chip, { children: t("schedules.ended") });
  return /* @__PURE__ */ jsx22(Chip, { tone: "good", children: t("schedules.active") });
}

// src/pages/schedules/one.tsx
import { Fragment as Fragment10, jsx as jsx23, jsxs as jsxs19 } from "./vendor.js";
var RUNS = 50;
function One({ name }) {
  const path2 = { name };
  const cursor = location.value.query.get("cursor") ?? void 0;
  const schedule = useResource(
    `schedule ${name}`,
    (signal6) => get("/schedules/{name}", { path: path2, signal: signal6 })
  );
  const next = useResource(
    `schedule next ${name}`,
    (signal6) => get("/schedules/{name}/next", { path: path2, query: { count: 10 }, signal: signal6 })
  );
  const runs = useResource(
    `schedule runs ${name} ${cursor}`,
    (signal6) => get("/schedules/{name}/runs", { path: path2, query: { limit: RUNS, cursor }, signal: signal6 }),
    { keepsOld: true }
  );
  return /* @__PURE__ */ jsx23(Loaded, { resource: together(schedule, next, runs), children: ([found, upcoming, came]) => {
    const shown = found.document;
    return /* @__PURE__ */ jsxs19(Fragment10, { children: [
      /* @__PURE__ */ jsxs19("section", { children: [
        /* @__PURE__ */ jsxs19("div", { class: "row heading", children: [
          /* @__PURE__ */ jsx23("h2", { children: name }),
          /* @__PURE__ */ jsx23(StateChip2, { schedule: shown }),
          /* @__PURE__ */ jsx23(Actions, { schedule: shown })
        ] }),
        /* @__PURE__ */ jsx23(Facts, { schedule: shown })
      ] }),
      /* @__PURE__ */ jsx23(Next, { schedule: shown, occurrences: upcoming.document }),
      /* @__PURE__ */ jsxs19("section", { children: [
        /* @__PURE__ */ jsx23("h2", { children: t("schedules.runs") }),
        /* @__PURE__ */ jsx23(Runs, { runs: came.document }),
        /* @__PURE__ */ jsx23(Pager, { next: came.next })
      ] }),
      /* @__PURE__ */ jsxs19("section", { children: [
        /* @__PURE__ */ jsx23("h2", { children: t("schedules.task") }),
        /* @__PURE__ */ jsx23(JsonView, { value: writeDocument(shown.task), label: t("schedules.task") })
      ] })
    ] });
  } });
}
function Facts({ schedule }) {
  const facts = [
    ["schedules.recurrence", /* @__PURE__ */ jsx23(Recurrence, { schedule })],
    ["schedules.zone", schedule.timezone],
    ["schedules.next", /* @__PURE__ */ jsx23(Time, { at: schedule.next_at })],
    ["schedules.last_task", /* @__PURE__ */ jsx23(TaskLink, { id: schedule.last_task_id })],
    ["schedules.catch_up", t(`schedules.catch_up.${schedule.catch_up}`)],
    ["schedules.overlap", t(`schedules.overlap.${schedule.overlap}`)]
  ];
  if (schedule.jitter_seconds) {
    facts.push(["schedules.jitter", /* @__PURE__ */ jsx23(Span, { seconds: schedule.jitter_seconds })]);
  }
  for (const name of ["starts_at", "ends_at", "paused_at", "updated_at"]) {
    if (schedule[name]) facts.push([`schedules.${name}`, /* @__PURE__ */ jsx23(Time, { at: schedule[name], as: "moment" })]);
  }
  return /* @__PURE__ */ jsx23("dl", { class: "about", children: facts.map(([name, value]) => /* @__PURE__ */ jsxs19("div", { children: [
    /* @__PURE__ */ jsx23("dt", { children: t(name) }),
    /* @__PURE__ */ jsx23("dd", { children: value })
  ] }, name)) });
}

// src/pages/schedules/page.tsx
import { Fragment as Fragment11, jsx as jsx24, jsxs as jsxs20 } from "./vendor.js";
var PAGE2 = 100;
function Schedules({ rest }) {
  return rest ? /* @__PURE__ */ jsx24(One, { name: decoded(rest) }) : /* @__PURE__ */ jsx24(List, {});
}
function List() {
  const cursor = location.value.query.get("cursor") ?? void 0;
  const schedules = useResource(
    `schedules ${cursor}`,
    (signal6) => get("/schedules", { query: { limit: PAGE2, cursor }, signal: signal6 }),
    { keepsOld: true }
  );
  const columns3 = [
    {
      key: "name",
      title: t("schedules.name"),
      by: (each) => each.name,
      cell: (each) => /* @__PURE__ */ jsx24("a", { href: hrefOf(each.name), children: each.name })
    },
    { key: "state", title: t("schedules.state"), cell: (each) => /* @__PURE__ */ jsx24(StateChip2, { schedule: each }) },
    {
      key: "recurrence",
      title: t("schedules.recurrence"),
      cell: (each) => /* @__PURE__ */ jsx24(Recurrence, { schedule: each })
    },
    {
      key: "zone",
      title: t("schedules.zone"),
      by: (each) => each.timezone,
      cell: (each) => each.timezone,
      isMinor: true
    },
    {
      key: "next",
      title: t("schedules.next"),
      by: (each) => each.next_at,
      cell: (each) => /* @__PURE__ */ jsx24(Time, { at: each.next_at })
    },
    {
      key: "last",
      title: t("schedules.last_task"),
      by: (each) => each.last_task_id,
      cell: (each) => /* @__PURE__ */ jsx24(TaskLink, { id: each.last_task_id }),
      isNumber: true
    }
  ];
  return /* @__PURE__ */ jsx24(Loaded, { resource: schedules, children: ({ document: document2, next }) => /* @__PURE__ */ jsxs20(Fragment11, { children: [
    document2.length > 0 ? /* @__PURE__ */ jsx24(
      Table,
      {
        label: t("schedules.title"),
        rows: document2,
        columns: columns3,
        rowKey: (each) => each.name,
        href: (each) => hrefOf(each.name)
      }
    ) : /* @__PURE__ */ jsxs20(Empty, { children: [
      /* @__PURE__ */ jsx24("p", { children: t("schedules.none") }),
      /* @__PURE__ */ jsx24("pre", { tabIndex: 0, children: EXAMPLE })
    ] }),
    /* @__PURE__ */ jsx24(Pager, { next })
  ] }) });
}
var EXAMPLE = `rowlock schedule put hello --cron "0 9 * * 1-5" --timezone Europe/Berlin`;
function decoded(rest) {
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

// src/pages/submit/page.tsx
import { useSignal } from "./vendor.js";
import { useRef as useRef4, useState as useState7 } from "./vendor.js";

// src/parts/task_fields.tsx
import { useEffect as useEffect3, useRef as useRef3, useState as useState6 } from "./vendor.js";

// src/api/fields.ts
var FIELDS = {
  "title": {
    "kind": "text",
    "most": 255,
    "isRequired": true
  },
  "description": {
    "kind": "long",
    "most": 65535
  },
  "priority": {
    "kind": "choice",
    "choices": [
      "高",
      "中",
      "低"
    ],
    "usual": "中"
  },
  "tags": {
    "kind": "tags",
    "most": 32,
    "longest": 64,
    "usual": []
  },
  "due_date": {
    "kind": "time"
  },
  "timeout_seconds": {
    "kind": "number",
    "least": 1,
    "most": 2592e3,
    "usual": 300
  },
  "retry_limit": {
    "kind": "number",
    "least": 0,
    "most": 100,
    "usual": 3
  },
  "retry_delay_seconds": {
    "kind": "number",
    "least": 0,
    "most": 86400,
    "usual": 5
  },
  "retry_backoff": {
    "kind": "choice",
    "choices": [
      "exponential",
      "fixed",
      "linear"
    ],
    "usual": "exponential"
  },
  "queue": {
    "kind": "text",
    "pattern": "^[a-z0-9_.-]{1,64}$",
    "usual": "default"
  },
  "payload": {
    "kind": "json"
  },
  "unique.key": {
    "kind": "text",
    "most": 128,
    "group": "unique"
  },
  "unique.while": {
    "kind": "choice",
    "choices": [
      "waiting",
      "active"
    ],
    "usual": "waiting",
    "group": "unique"
  },
  "unique.conflict": {
    "kind": "choice",
    "choices": [
      "keep",
      "replace",
      "reject"
    ],
    "group": "unique"
  },
  "unique.debounce_seconds": {
    "kind": "number",
    "least": 1,
    "most": 86400,
    "group": "unique"
  },
  "unique.debounce_limit_seconds": {
    "kind": "number",
    "least": 1,
    "most": 864e3,
    "group": "unique"
  },
  "group": {
    "kind": "text",
    "most": 128
  },
  "available_at": {
    "kind": "time"
  },
  "depends_on": {
    "kind": "ids",
    "most": 1e3,
    "usual": []
  },
  "on_parent_failure": {
    "kind": "choice",
    "choices": [
      "cancel",
      "run"
    ]
  },
  "blocks": {
    "kind": "ids",
    "most": 16,
    "usual": []
  }
};
var PATCHABLE = ["title", "description", "priority", "tags", "due_date", "timeout_seconds", "retry_limit", "retry_delay_seconds", "retry_backoff", "payload"];

// src/json/fault.ts
var SPACE = /[ \t\n\r]*/y;
var TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
var WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
function faultAt(text) {
  const due = [];
  let at = 0;
  let wants = "item";
  const skip = (pattern) => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (; ; ) {
    skip(SPACE);
    if (wants !== "item" && due.length && text[at] === due.at(-1)) {
      due.pop();
      at++;
      wants = "more";
    } else if (wants === "more") {
      if (!due.length || text[at] !== ",") return at;
      at++;
      wants = "item";
    } else {
      if (due.at(-1) === "}") {
        if (!skip(TEXT)) return at;
        skip(SPACE);
        if (text[at] !== ":") return at;
        at++;
        skip(SPACE);
      }
      wants = text[at] === "{" || text[at] === "[" ? "first" : "more";
      if (wants === "first") due.push(text[at++] === "{" ? "}" : "]");
      else if (!skip(TEXT) && !skip(WORD)) return at;
    }
  }
}

// src/parts/task_form.ts
var DEBOUNCE = "debounce";
var ASKED = {
  "unique.conflict": { choices: [...FIELDS["unique.conflict"].choices, DEBOUNCE], usual: "keep" },
  "unique.debounce_seconds": { isRequired: true },
  on_parent_failure: { usual: "cancel" }
};
var isFilled = (values, name) => values[name].trim() !== "";
var hasKey = (values) => isFilled(values, "unique.key");
var isPutOff = (values) => hasKey(values) && values["unique.conflict"] === DEBOUNCE;
var TAKEN = {
  "unique.while": (values) => hasKey(values) && !isPutOff(values),
  "unique.conflict": hasKey,
  "unique.debounce_seconds": isPutOff,
  "unique.debounce_limit_seconds": isPutOff,
  available_at: (values) => !isPutOff(values),
  on_parent_failure: (values) => isFilled(values, "depends_on"),
  blocks: (values) => !isFilled(values, "depends_on")
};
var ORDER = ["title", "queue", "priority", "tags", "payload", "description", "available_at"];
var place = (name) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);
var NAMES = Object.keys(FIELDS).sort((a, b) => place(a) - place(b));
var fieldOf = (name) => ({ ...FIELDS[name], ...ASKED[name] });
function taken(names, values) {
  return names.filter((name) => TAKEN[name]?.(values) ?? true);
}
function editable(task) {
  const isWaiting = ["to_do", "retrying", "paused"].includes(task.status);
  return NAMES.filter(
    (name) => PATCHABLE.includes(name) && (isWaiting || !/^(timeout_|retry_|payload)/.test(name))
  );
}
function valuesOf(task = {}) {
  const found = NAMES.map((name) => {
    const { kind, usual } = fieldOf(name);
    const value = (name in task ? task[name] : usual) ?? null;
    if (kind === "tags") return [name, JSON.stringify(value)];
    if (kind === "ids") return [name, ""];
    if (value === null) return [name, ""];
    if (kind === "json") return [name, formatted(String(value))];
    return [name, kind === "time" ? localText(String(value)) : String(value)];
  });
  return Object.fromEntries(found);
}
function bodyOf(values, names, isNew) {
  const said = taken(names, values).filter((name) => !isNew || isFilled(values, name) || fieldOf(name).isRequired).filter((name) => name !== "unique.conflict" || !isPutOff(values));
  const parts = /* @__PURE__ */ new Map();
  for (const name of said) {
    const { group = "" } = fieldOf(name);
    const own = name.slice(group === "" ? 0 : group.length + 1);
    parts.set(group, [...parts.get(group) ?? [], `${JSON.stringify(own)}:${textOf2(name, values[name])}`]);
  }
  const groups = [...parts].map(([group, of2]) => group ? `${JSON.stringify(group)}:{${of2.join()}}` : of2.join());
  return `{${groups.filter((text) => text !== "").join()}}`;
}
function textOf2(name, text) {
  const { kind } = fieldOf(name);
  if (kind === "tags") return text;
  if (text.trim() === "" && kind !== "choice") return name === "title" ? '""' : "null";
  if (kind === "json" || kind === "number" && /^\s*\d+\s*$/.test(text)) return text.trim();
  if (kind === "ids" && idsIn(text)) return JSON.stringify(idsIn(text));
  const moment = kind === "time" ? new Date(text) : null;
  return JSON.stringify(moment && !Number.isNaN(+moment) ? moment.toISOString() : text);
}
function faultsOf(values, names) {
  const found = taken(names, values).map((name) => [name, faultOf(fieldOf(name), values[name])]);
  return Object.fromEntries(found.filter(([, fault]) => fault !== null));
}
function faultOf(field, text) {
  const { kind, most = Infinity, least = 0, longest = Infinity } = field;
  if (text.trim() === "") return field.isRequired ? t("form.required") : null;
  if (kind === "json") return jsonFault(text);
  if (kind === "tags") {
    const tags = JSON.parse(text);
    if (tags.length > most) return t("form.too_many", { most });
    return tags.some((tag) => [...tag].length > longest) ? t("form.too_long", { most: longest }) : null;
  }
  if (kind === "ids") {
    const ids = idsIn(text);
    if (ids === null) return t("form.ids");
    return ids.length > most ? t("form.too_many", { most: number(most) }) : null;
  }
  if (kind === "number") {
    const value = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most ? null : rangeText(field);
  }
  if (kind === "text" && [...text.trim()].length > most) return t("form.too_long", { most });
  if (kind === "long" && sizeOf(text) > most) return t("form.too_large", { most });
  if (field.pattern && !new RegExp(field.pattern).test(text)) return t("hint.queue");
  return null;
}
function faultsIn(problem) {
  const found = {};
  for (const { field, message } of problem.fields) {
    const name = NAMES.find((each) => each === field || each === field.split(".")[0]);
    if (!name) return {};
    found[name] ??= message;
  }
  return found;
}
function idsIn(text) {
  const ids = text.split(/[\s,，、]+/).filter((word) => word !== "");
  return ids.every((word) => /^[1-9]\d{0,14}$/.test(word)) ? ids.map(Number) : null;
}
function rangeText({ least = 0, most = 0 }) {
  return t("form.range", { least: number(least), most: number(most) });
}
function jsonFault(text) {
  try {
    JSON.parse(text);
    return null;
  } catch {
    const before2 = text.slice(0, faultAt(text)).split("\n");
    return t("form.json", { line: before2.length, column: before2.at(-1).length + 1 });
  }
}
function formatted(text) {
  return layOut(text, Infinity).lines.map(({ depth, tokens }) => "  ".repeat(depth) + tokens.map((token) => token.text).join("")).join("\n");
}
function sizeOf(text) {
  return new Blob([text]).size;
}
function localText(at) {
  const moment = new Date(at);
  return new Date(+moment - moment.getTimezoneOffset() * 6e4).toISOString().slice(0, 19);
}

// src/parts/task_fields.tsx
import { Fragment as Fragment12, jsx as jsx25, jsxs as jsxs21 } from "./vendor.js";
var HINTS = {
  queue: "hint.queue",
  group: "hint.group",
  tags: "hint.tags",
  payload: "hint.payload",
  due_date: "hint.due_date",
  available_at: "hint.available_at",
  "unique.key": "hint.unique.key",
  "unique.conflict": "hint.unique.conflict",
  "unique.debounce_seconds": "hint.unique.debounce_seconds",
  "unique.debounce_limit_seconds": "hint.unique.debounce_limit_seconds",
  depends_on: "hint.depends_on",
  on_parent_failure: "hint.on_parent_failure",
  blocks: "hint.blocks"
};
function TaskFields({ names, values, faults }) {
  const element = useRef3(null);
  const known2 = useResource("form", knownNames, { everySeconds: Infinity });
  useEffect3(() => {
    element.current.querySelector("[aria-invalid]")?.focus();
  }, [faults]);
  const groups = [];
  for (const name of taken(names, values.value)) {
    const { group = "" } = fieldOf(name);
    if (groups.at(-1)?.[0] === group) groups.at(-1)[1].push(name);
    else groups.push([group, [name]]);
  }
  return /* @__PURE__ */ jsxs21("div", { class: "fields", ref: element, children: [
    groups.map(([group, members]) => {
      const fields = members.map((name) => /* @__PURE__ */ jsx25(Field, { name, values, fault: faults[name] }, name));
      if (group === "") return fields;
      return /* @__PURE__ */ jsxs21("fieldset", { class: "fields", children: [
        /* @__PURE__ */ jsx25("legend", { children: t(`field.${group}`) }),
        fields
      ] }, group);
    }),
    Object.entries(known2.state.value.data ?? {}).map(([name, options]) => /* @__PURE__ */ jsx25("datalist", { id: `known-${name}`, children: options.map((option) => /* @__PURE__ */ jsx25("option", { value: option }, option)) }, name))
  ] });
}
async function knownNames(signal6) {
  const [stats, tags] = await Promise.all([get("/stats", { signal: signal6 }), get("/tags", { signal: signal6 })]);
  return {
    queue: stats.document.queues.map(({ queue }) => queue),
    tags: tags.document.map(({ name }) => name)
  };
}
function Field({ name, values, fault }) {
  const field = fieldOf(name);
  const hint = HINTS[name] ? t(HINTS[name]) : field.kind === "number" ? rangeText(field) : "";
  const value = values.value[name];
  const write = (text) => values.value = { ...values.value, [name]: text };
  const common = {
    id: `field-${name}`,
    "aria-invalid": fault ? true : void 0,
    "aria-describedby": `about-${name}`,
    "aria-required": field.isRequired
  };
  const typed = {
    ...common,
    value,
    onInput: (event) => write(event.currentTarget.value)
  };
  return /* @__PURE__ */ jsxs21("div", { class: `field ${field.kind}`, children: [
    /* @__PURE__ */ jsx25("label", { for: common.id, children: t(`field.${name}`) }),
    field.kind === "choice" ? /* @__PURE__ */ jsxs21("select", { ...common, value, onChange: (event) => write(event.currentTarget.value), children: [
      field.usual === void 0 && /* @__PURE__ */ jsx25("option", { value: "", children: "–" }),
      field.choices.map((choice) => /* @__PURE__ */ jsx25("option", { value: choice, children: name === "priority" ? priorityText(choice) : t(`${name}.${choice}`) }, choice))
    ] }) : field.kind === "tags" ? /* @__PURE__ */ jsx25(Tags, { ...common, tags: JSON.parse(value), write: (tags) => write(JSON.stringify(tags)) }) : field.kind === "long" || field.kind === "json" ? /* @__PURE__ */ jsx25("textarea", { ...typed, rows: field.kind === "json" ? 8 : 3, spellcheck: field.kind !== "json" }) : /* @__PURE__ */ jsx25(
      "input",
      {
        ...typed,
        type: field.kind === "time" ? "datetime-local" : "text",
        step: field.kind === "time" ? 1 : void 0,
        inputMode: field.kind === "number" ? "numeric" : void 0,
        list: name === "queue" ? "known-queue" : void 0,
        autoComplete: "off"
      }
    ),
    field.kind === "json" && /* @__PURE__ */ jsx25(Look, { text: value, write }),
    /* @__PURE__ */ jsx25("p", { class: "quiet", id: `about-${name}`, children: fault ? /* @__PURE__ */ jsx25("strong", { class: "fault", children: fault }) : hint })
  ] });
}
function Look({ text, write }) {
  if (text.trim() === "") return null;
  const fault = jsonFault(text);
  return /* @__PURE__ */ jsxs21("p", { class: "row", children: [
    /* @__PURE__ */ jsx25("span", { class: `chip ${fault ? "bad" : "good"}`, children: fault ?? t("form.json_valid") }),
    /* @__PURE__ */ jsx25("span", { class: "quiet", children: bytes(sizeOf(text)) }),
    !fault && /* @__PURE__ */ jsx25("button", { type: "button", class: "plain", onClick: () => write(formatted(text)), children: t("form.format") })
  ] });
}
function Tags({ tags, write, ...rest }) {
  const [text, setText] = useState6("");
  const add = () => {
    const tag = text.trim();
    if (tag) write([.../* @__PURE__ */ new Set([...tags, tag])]);
    setText("");
  };
  return /* @__PURE__ */ jsxs21(Fragment12, { children: [
    tags.length > 0 && /* @__PURE__ */ jsx25("p", { class: "row", children: tags.map((tag) => /* @__PURE__ */ jsxs21("span", { class: "chip neutral", children: [
      tag,
      " ",
      /* @__PURE__ */ jsx25(
        "button",
        {
          type: "button",
          class: "plain",
          "aria-label": t("form.remove", { name: tag }),
          onClick: () => write(tags.filter((each) => each !== tag)),
          children: "×"
        }
      )
    ] }, tag)) }),
    /* @__PURE__ */ jsx25(
      "input",
      {
        ...rest,
        value: text,
        list: "known-tags",
        autoComplete: "off",
        onInput: (event) => setText(event.currentTarget.value),
        onBlur: add,
        onKeyDown: (event) => {
          if (event.key !== "Enter" || event.isComposing || !text.trim()) return;
          event.preventDefault();
          add();
        }
      }
    )
  ] });
}

// src/pages/submit/page.tsx
import { jsx as jsx26, jsxs as jsxs22 } from "./vendor.js";
function Submit() {
  const from = location.value.query.get("from");
  if (!opens("client")) return /* @__PURE__ */ jsx26("p", { class: "note warn", children: t("problem.needs_door", { door: "client" }) });
  return from ? /* @__PURE__ */ jsx26(Copy, { id: from }, from) : /* @__PURE__ */ jsx26(Form2, {}, "");
}
function Copy({ id }) {
  const task = useResource(
    `template ${id}`,
    async (signal6) => (await get("/tasks/{task_id}", { path: { task_id: id }, signal: signal6 })).document,
    { everySeconds: Infinity }
  );
  return /* @__PURE__ */ jsx26(Loaded, { resource: task, children: (found) => /* @__PURE__ */ jsx26(Form2, { template: found }) });
}
function Form2({ template }) {
  const first = () => valuesOf(template && { ...template, available_at: null });
  const values = useSignal(first());
  const key = useRef4(newKey2());
  const isUnderWay = useRef4(false);
  const isSent = useRef4(false);
  const [isBusy, setBusy] = useState7(false);
  const [faults, setFaults] = useState7({});
  const [problem, setProblem] = useState7(null);
  const [made, setMade] = useState7(null);
  const [isHeld, setHeld] = useState7(false);
  const submit = async () => {
    if (isUnderWay.current) return;
    const found = faultsOf(values.value, NAMES);
    setFaults(found);
    setProblem(null);
    if (Object.keys(found).length) return;
    isUnderWay.current = true;
    setBusy(true);
    try {
      const body = bodyOf(values.value, NAMES, true);
      const headers = { "Idempotency-Key": key.current };
      const isFirst = !isSent.current;
      isSent.current = true;
      const { document: document2, status } = await send("POST", "/tasks", { body, headers });
      const isOther = isFirst && status === 200;
      setHeld(isOther);
      setMade(document2);
      announce(t(isOther ? "submit.held" : "submit.made", { id: String(document2.id) }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const byField = faultsIn(error);
      setFaults(byField);
      if (!Object.keys(byField).length) setProblem(error);
    } finally {
      isUnderWay.current = false;
      setBusy(false);
    }
  };
  const another = () => {
    key.current = newKey2();
    isSent.current = false;
    values.value = first();
    setMade(null);
    setFaults({});
    setProblem(null);
  };
  if (made) {
    return /* @__PURE__ */ jsxs22("div", { class: "note good", role: "status", children: [
      /* @__PURE__ */ jsxs22("p", { children: [
        /* @__PURE__ */ jsx26("a", { href: hash(`/tasks/${made.id}`), children: t(isHeld ? "submit.held" : "submit.made", { id: String(made.id) }) }),
        " ",
        made.title
      ] }),
      /* @__PURE__ */ jsx26("button", { type: "button", onClick: another, children: t("submit.another") })
    ] });
  }
  const isReused = String(problem?.facts.type).endsWith("idempotency-key-reused");
  return /* @__PURE__ */ jsxs22(
    "form",
    {
      noValidate: true,
      onSubmit: (event) => {
        event.preventDefault();
        void submit();
      },
      children: [
        template && /* @__PURE__ */ jsxs22("p", { class: "quiet", children: [
          t("submit.from"),
          " ",
          /* @__PURE__ */ jsxs22("a", { href: hash(`/tasks/${template.id}`), children: [
            "#",
            template.id
          ] })
        ] }),
        /* @__PURE__ */ jsx26(TaskFields, { names: NAMES, values, faults }),
        isReused ? /* @__PURE__ */ jsxs22("div", { class: "note warn", role: "alert", children: [
          /* @__PURE__ */ jsx26("p", { children: t("submit.reused") }),
          /* @__PURE__ */ jsx26(
            "button",
            {
              type: "button",
              onClick: () => {
                key.current = newKey2();
                isSent.current = false;
                void submit();
              },
              children: t("submit.anyway")
            }
          )
        ] }) : problem && /* @__PURE__ */ jsx26(ProblemNote, { problem, onRetry: submit }),
        /* @__PURE__ */ jsxs22("p", { class: "row", children: [
          /* @__PURE__ */ jsx26("button", { type: "submit", class: "main", disabled: isBusy, children: t("submit.submit") }),
          /* @__PURE__ */ jsx26("button", { type: "button", class: "plain", onClick: another, children: t("submit.clear") })
        ] })
      ]
    }
  );
}
function newKey2() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return `page-${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

// src/pages/system/findings.tsx
import { Fragment as Fragment13, jsx as jsx27, jsxs as jsxs23 } from "./vendor.js";
var TONES4 = { ok: "good", note: "warn", bad: "bad" };
function Fixes({ findings }) {
  const wrong = ["bad", "note"].flatMap(
    (verdict) => findings.filter((each) => each.verdict === verdict)
  );
  if (wrong.length === 0) {
    return /* @__PURE__ */ jsx27("section", { class: "well", children: /* @__PURE__ */ jsxs23("p", { children: [
      /* @__PURE__ */ jsx27("strong", { children: t("system.all_well") }),
      " ",
      t("system.all_well_about", { n: findings.length })
    ] }) });
  }
  return /* @__PURE__ */ jsxs23("section", { children: [
    /* @__PURE__ */ jsx27("h2", { children: t("system.attention") }),
    /* @__PURE__ */ jsx27("ul", { class: "findings", children: wrong.map((each) => /* @__PURE__ */ jsxs23("li", { class: `finding ${TONES4[each.verdict]}`, children: [
      /* @__PURE__ */ jsxs23("strong", { children: [
        checkText(each.what),
        " ",
        /* @__PURE__ */ jsx27(CheckName, { what: each.what })
      ] }),
      /* @__PURE__ */ jsx27("span", { lang: "en", children: each.detail }),
      each.fix && /* @__PURE__ */ jsxs23("div", { children: [
        /* @__PURE__ */ jsx27("code", { children: each.fix }),
        " ",
        /* @__PURE__ */ jsx27(CopyButton, { text: each.fix, label: t("system.copy_fix") })
      ] })
    ] }, `${each.what} ${each.detail}`)) })
  ] });
}
function Findings({ findings }) {
  const columns3 = [
    {
      key: "what",
      title: t("system.what"),
      cell: (each) => /* @__PURE__ */ jsxs23(Fragment13, { children: [
        /* @__PURE__ */ jsx27(Verdict, { finding: each }),
        " ",
        checkText(each.what),
        " ",
        /* @__PURE__ */ jsx27(CheckName, { what: each.what })
      ] })
    },
    {
      key: "detail",
      title: t("system.detail"),
      cell: (each) => /* @__PURE__ */ jsx27("span", { class: "wrapped", lang: "en", children: each.detail })
    }
  ];
  return /* @__PURE__ */ jsx27(
    Table,
    {
      label: t("system.findings"),
      rows: findings,
      columns: columns3,
      rowKey: (each) => `${each.what} ${each.detail}`
    }
  );
}
function Verdict({ finding: { verdict } }) {
  return /* @__PURE__ */ jsx27(Chip, { tone: TONES4[verdict], children: t(`system.verdict.${verdict}`) });
}

// src/pages/system/processes.tsx
import { Fragment as Fragment14, jsx as jsx28, jsxs as jsxs24 } from "./vendor.js";
var STOPPED_AFTER_MS = 6e4;
function Processes({ processes }) {
  const alive = processes.filter((each) => each.state !== "silent");
  const versions = [...new Set(alive.map((each) => each.version))].sort();
  const columns3 = [
    { key: "kind", title: t("system.kind"), by: (each) => each.kind, cell: (each) => each.kind },
    {
      key: "state",
      title: t("system.state"),
      by: (each) => each.state,
      cell: (each) => /* @__PURE__ */ jsx28(Chip, { tone: each.state === "silent" ? "warn" : "good", children: t(`system.state.${each.state}`) })
    },
    {
      key: "version",
      title: t("system.version"),
      by: (each) => each.version,
      cell: (each) => each.version
    },
    {
      key: "since",
      title: t("system.running_since"),
      by: (each) => each.running_since,
      cell: (each) => /* @__PURE__ */ jsx28(Time, { at: each.running_since })
    },
    {
      key: "seen",
      title: t("system.last_seen"),
      by: (each) => each.last_seen_at,
      cell: (each) => /* @__PURE__ */ jsx28(Time, { at: each.last_seen_at })
    },
    {
      key: "id",
      title: t("system.id"),
      cell: (each) => /* @__PURE__ */ jsx28("code", { title: each.id, children: each.id.slice(0, 8) }),
      isMinor: true
    }
  ];
  return /* @__PURE__ */ jsxs24("section", { children: [
    /* @__PURE__ */ jsxs24("h2", { children: [
      t("system.processes"),
      " ",
      versions.length > 1 && /* @__PURE__ */ jsx28(Chip, { tone: "warn", children: t("system.versions", { versions: versions.join(", ") }) })
    ] }),
    /* @__PURE__ */ jsx28(
      Table,
      {
        label: t("system.processes"),
        rows: processes,
        columns: columns3,
        rowKey: (each) => each.id
      }
    )
  ] });
}
function Sweeps({ sweeps }) {
  const isLate = (sweep) => now.value - Date.parse(sweep.last_run_at) > STOPPED_AFTER_MS;
  const columns3 = [
    { key: "sweep", title: t("system.sweep"), by: (each) => each.sweep, cell: (each) => each.sweep },
    {
      key: "last_run",
      title: t("system.last_run"),
      by: (each) => each.last_run_at,
      cell: (each) => /* @__PURE__ */ jsxs24(Fragment14, { children: [
        /* @__PURE__ */ jsx28(Time, { at: each.last_run_at }),
        " ",
        isLate(each) && /* @__PURE__ */ jsx28(Chip, { tone: "warn", children: t("system.stopped") })
      ] })
    },
    counted("runs", t("system.runs"), (each) => each.runs),
    counted("moved", t("system.moved"), (each) => each.moved)
  ];
  return /* @__PURE__ */ jsxs24("section", { children: [
    /* @__PURE__ */ jsx28("h2", { children: t("system.sweeps") }),
    sweeps.length > 0 ? /* @__PURE__ */ jsx28(
      Table,
      {
        label: t("system.sweeps"),
        rows: sweeps,
        columns: columns3,
        rowKey: (each) => each.sweep
      }
    ) : /* @__PURE__ */ jsx28(Empty, { children: /* @__PURE__ */ jsx28("p", { children: t("system.no_sweeps") }) })
  ] });
}
function counted(key, title, of2) {
  return { key, title, by: of2, cell: (sweep) => number(of2(sweep)), isNumber: true };
}

// src/pages/system/promise.tsx
import { jsx as jsx29, jsxs as jsxs25 } from "./vendor.js";
var PARTS2 = [
  ["system.stored", ["innodb_flush_log_at_trx_commit", "sync_binlog"]],
  ["system.once", ["isolation", "SKIP LOCKED"]],
  ["system.ends", ["scheduler"]],
  ["system.clock", ["clock"]]
];
function Promise201({ findings }) {
  return /* @__PURE__ */ jsx29("dl", { class: "about", children: PARTS2.map(([key, names]) => {
    const found = findings.filter((each) => names.includes(each.what));
    return /* @__PURE__ */ jsxs25("div", { children: [
      /* @__PURE__ */ jsx29("dt", { children: t(key) }),
      found.length === 0 && /* @__PURE__ */ jsx29("dd", { class: "quiet", children: t("system.unknown") }),
      found.map((each) => /* @__PURE__ */ jsxs25("dd", { children: [
        /* @__PURE__ */ jsx29(Verdict, { finding: each }),
        " ",
        checkText(each.what),
        ": ",
        /* @__PURE__ */ jsx29("span", { lang: "en", children: each.detail })
      ] }, each.what))
    ] }, key);
  }) });
}

// src/pages/system/page.tsx
import { Fragment as Fragment15, jsx as jsx30, jsxs as jsxs26 } from "./vendor.js";
function System() {
  const doctor = useResource(
    "doctor",
    async (signal6) => {
      const { findings, age_seconds: age } = (await get("/admin/doctor", { signal: signal6 })).document;
      return { findings, at: new Date(now.peek() - age * 1e3).toISOString() };
    },
    { everySeconds: 15 }
  );
  const processes = useResource("processes", (signal6) => get("/admin/processes", { signal: signal6 }));
  return /* @__PURE__ */ jsxs26(Fragment15, { children: [
    /* @__PURE__ */ jsx30(Loaded, { resource: doctor, children: ({ findings, at }) => /* @__PURE__ */ jsxs26(Fragment15, { children: [
      /* @__PURE__ */ jsx30(Fixes, { findings }),
      /* @__PURE__ */ jsxs26("section", { children: [
        /* @__PURE__ */ jsxs26("h2", { children: [
          t("system.promise"),
          " ",
          /* @__PURE__ */ jsxs26("small", { children: [
            t("system.examined"),
            " ",
            /* @__PURE__ */ jsx30(Time, { at })
          ] })
        ] }),
        /* @__PURE__ */ jsx30(Promise201, { findings })
      ] }),
      /* @__PURE__ */ jsxs26("section", { children: [
        /* @__PURE__ */ jsx30("h2", { children: t("system.findings") }),
        /* @__PURE__ */ jsx30(Findings, { findings })
      ] })
    ] }) }),
    /* @__PURE__ */ jsx30(Loaded, { resource: processes, children: ({ document: document2 }) => /* @__PURE__ */ jsxs26(Fragment15, { children: [
      /* @__PURE__ */ jsx30(Processes, { processes: document2.processes }),
      /* @__PURE__ */ jsx30(Sweeps, { sweeps: document2.sweeps })
    ] }) })
  ] });
}

// src/pages/task/page.tsx
import { useState as useState11 } from "./vendor.js";

// src/pages/task/actions.tsx
import { signal } from "./vendor.js";
import { Fragment as Fragment16, jsx as jsx31, jsxs as jsxs27 } from "./vendor.js";
var FROM = {
  pause: ["to_do", "retrying"],
  resume: ["paused"],
  retry: ["failed", "cancelled"],
  cancel: ["to_do", "retrying", "paused", "in_progress"]
};
var OPPOSITE = { pause: "resume", resume: "pause" };
var pending = signal(/* @__PURE__ */ new Map());
function Actions2({ task, onEdit }) {
  const { id, status } = task;
  const soon = pending.value.get(id);
  const possible = Object.keys(FROM).filter((action) => FROM[action].includes(status));
  return /* @__PURE__ */ jsxs27("p", { class: "row actions", children: [
    opens("admin") && possible.map((action) => /* @__PURE__ */ jsx31(
      "button",
      {
        type: "button",
        class: action === "cancel" ? "danger" : void 0,
        disabled: soon !== void 0,
        onClick: () => action === "cancel" ? later(id, "cancel") : void act(id, action),
        children: t(`task.${action}`)
      },
      action
    )),
    opens("client") && /* @__PURE__ */ jsxs27(Fragment16, { children: [
      /* @__PURE__ */ jsx31("button", { type: "button", disabled: soon !== void 0, onClick: onEdit, children: t("task.edit") }),
      /* @__PURE__ */ jsx31("a", { class: "button", href: hash("/submit", { from: String(id) }), children: t("task.copy") }),
      /* @__PURE__ */ jsx31("button", { type: "button", class: "danger", disabled: soon !== void 0, onClick: () => later(id, "delete"), children: t("task.delete") })
    ] }),
    soon && /* @__PURE__ */ jsx31("span", { class: "quiet", children: t(`task.${soon}_soon`) })
  ] });
}
async function act(id, action, canUndo = true) {
  try {
    if (action === "delete") await call("delete", "/tasks/{task_id}", { path: { task_id: id } });
    else await call("post", "/admin/tasks/{task_id}/{action}", { path: { task_id: id, action } });
    const back = canUndo && action !== "delete" && OPPOSITE[action];
    const said = t(`task.${action}_done`, { id: String(id) });
    tell(said, back ? { undo: () => void act(id, back, false) } : {});
  } catch (error) {
    tellRefusal(error);
  }
  await refreshAll();
}
function later(id, action) {
  const mark = (isOn) => {
    const changed = new Map(pending.value);
    if (isOn) changed.set(id, action);
    else changed.delete(id);
    pending.value = changed;
  };
  mark(true);
  const run2 = () => void act(id, action).finally(() => mark(false));
  doLater(t(`task.${action}_later`, { id: String(id) }), run2, () => mark(false));
}
function tellRefusal(error) {
  const status = error instanceof Problem && error.status === 409 && error.facts.task_status;
  if (!status) return tellProblem(error);
  tell(t("task.moved_on", { status: t(`status.${status}`) }), { isBad: true });
}

// src/pages/task/attempts.tsx
import { useState as useState8 } from "./vendor.js";

// src/pages/task/diff.ts
var MOST2 = 25e4;
function diff(before2, after) {
  const [a, b] = [before2.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const mark = (sign, lines) => lines.map((text) => ({ sign, text }));
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const between = x.length * y.length > MOST2 ? [...mark("-", x), ...mark("+", y)] : compared(x, y);
  return [...mark(" ", a.slice(0, head)), ...between, ...mark(" ", a.slice(a.length - tail))];
}
function compared(a, b) {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i2 = a.length - 1; i2 >= 0; i2--) {
    for (let j2 = b.length - 1; j2 >= 0; j2--) {
      lengths[i2][j2] = a[i2] === b[j2] ? lengths[i2 + 1][j2 + 1] + 1 : Math.max(lengths[i2 + 1][j2], lengths[i2][j2 + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) lines.push({ sign: " ", text: a[j++, i++] });
    else if (j === b.length || i < a.length && lengths[i + 1][j] >= lengths[i][j + 1]) {
      lines.push({ sign: "-", text: a[i++] });
    } else lines.push({ sign: "+", text: b[j++] });
  }
  return lines;
}

// src/pages/task/attempts.tsx
import { Fragment as Fragment17, jsx as jsx32, jsxs as jsxs28 } from "./vendor.js";
var TONES5 = {
  done: "good",
  failed: "bad",
  timed_out: "warn",
  lost: "warn",
  released: "off",
  cancelled: "off"
};
var PAGE3 = 100;
var LINES2 = 40;
function useAttempts({ id, updated_at }) {
  const [address, setAddress] = useState8(null);
  const resource = useResource(
    `attempts ${id} ${updated_at} ${address ?? ""}`,
    (signal6) => address ? send("GET", address, { signal: signal6 }) : get("/tasks/{task_id}/attempts", { path: { task_id: id }, query: { limit: PAGE3 }, signal: signal6 }),
    { everySeconds: Infinity, keepsOld: true }
  );
  return { resource, address, setAddress };
}
function Attempts({ answer, address, setAddress }) {
  const { document: attempts, next } = answer;
  const first = attempts[0];
  if (!first) return null;
  const from = Date.parse(first.started_at);
  const end = (attempt) => attempt.finished_at ? Date.parse(attempt.finished_at) : now.value;
  const to = Math.max(...attempts.map(end), from + 1);
  const lastError = attempts.findLast(({ error }) => error !== null);
  let before2 = null;
  return /* @__PURE__ */ jsxs28("section", { children: [
    /* @__PURE__ */ jsx32("h2", { children: t("task.attempts") }),
    /* @__PURE__ */ jsx32("ol", { class: "attempts", children: attempts.map((attempt) => {
      const began = Date.parse(attempt.started_at);
      const tone = attempt.outcome ? TONES5[attempt.outcome] : "info";
      const share = (at) => `${Math.min(Math.max((at - from) / (to - from), 0), 1) * 100}%`;
      const previous = before2;
      if (attempt.error !== null) before2 = attempt;
      return /* @__PURE__ */ jsxs28("li", { "data-attempt": attempt.attempt, children: [
        /* @__PURE__ */ jsxs28("div", { class: "attempt", children: [
          /* @__PURE__ */ jsx32("strong", { children: attempt.attempt }),
          /* @__PURE__ */ jsx32("span", { class: "who", children: attempt.worker }),
          /* @__PURE__ */ jsx32("span", { class: `track ${tone}`, children: /* @__PURE__ */ jsx32("span", { style: { left: share(began), width: `calc(${share(from + end(attempt) - began)} + 3px)` } }) }),
          /* @__PURE__ */ jsx32(Span, { seconds: Math.max(end(attempt) - began, 0) / 1e3 }),
          /* @__PURE__ */ jsx32(Chip, { tone, children: t(attempt.outcome ? `outcome.${attempt.outcome}` : "status.in_progress") })
        ] }),
        attempt.outcome === "cancelled" && /* @__PURE__ */ jsx32("p", { class: "quiet", children: t("task.let_go", { worker: attempt.worker ?? "?" }) }),
        attempt.error !== null && /* @__PURE__ */ jsx32(Fault, { attempt, previous, isOpen: attempt === lastError })
      ] }, attempt.attempt);
    }) }),
    /* @__PURE__ */ jsxs28("p", { class: "row quiet scale", children: [
      /* @__PURE__ */ jsx32(Time, { at: first.started_at, as: "moment" }),
      /* @__PURE__ */ jsx32(Time, { at: new Date(to).toISOString(), as: "moment" })
    ] }),
    (next || address) && /* @__PURE__ */ jsxs28("p", { class: "row", children: [
      address && /* @__PURE__ */ jsx32("button", { type: "button", onClick: () => setAddress(null), children: t("task.first_attempts") }),
      next && /* @__PURE__ */ jsx32("button", { type: "button", onClick: () => setAddress(next), children: t("task.later_attempts") })
    ] })
  ] });
}
function Fault({ attempt, previous, isOpen }) {
  const [isShown, setShown] = useState8(isOpen);
  const [isWhole, setWhole] = useState8(false);
  const error = attempt.error;
  const isSame = previous?.error === error;
  const lines = isShown && !isSame ? diff(previous?.error ?? error, error) : [];
  const title = isSame ? t("task.same_error", { attempt: previous.attempt }) : error.split("\n", 1)[0].slice(0, 200) || t("task.error_of", { attempt: attempt.attempt });
  return /* @__PURE__ */ jsxs28("details", { open: isOpen, onToggle: (event) => setShown(event.currentTarget.open), children: [
    /* @__PURE__ */ jsx32("summary", { children: title }),
    isShown && /* @__PURE__ */ jsxs28(Fragment17, { children: [
      /* @__PURE__ */ jsx32("pre", { tabIndex: 0, "aria-label": t("task.error_of", { attempt: attempt.attempt }), children: isSame ? error.slice(0, isWhole ? void 0 : 4e3) : (isWhole ? lines : lines.slice(0, LINES2)).map(
        ({ sign, text }, index) => sign === "+" ? /* @__PURE__ */ jsxs28("ins", { children: [
          "+ ",
          text + "\n"
        ] }, index) : sign === "-" ? /* @__PURE__ */ jsxs28("del", { children: [
          "− ",
          text + "\n"
        ] }, index) : /* @__PURE__ */ jsx32("span", { children: (previous ? "  " : "") + text + "\n" }, index)
      ) }),
      /* @__PURE__ */ jsxs28("p", { class: "row quiet", children: [
        previous && !isSame && t("task.compared", { attempt: previous.attempt }),
        /* @__PURE__ */ jsx32(CopyButton, { text: error }),
        (lines.length > LINES2 || isSame && error.length > 4e3) && /* @__PURE__ */ jsx32("button", { type: "button", class: "plain", onClick: () => setWhole(!isWhole), children: t(isWhole ? "action.show_less" : "task.all_lines") })
      ] })
    ] })
  ] });
}

// src/pages/task/details.tsx
import { useMemo } from "./vendor.js";
import { Fragment as Fragment18, jsx as jsx33, jsxs as jsxs29 } from "./vendor.js";
function Value({ name, value }) {
  const title = t(`field.${name}`);
  const view = useMemo(() => /* @__PURE__ */ jsx33(JsonView, { value, label: title }), [value?.text, title]);
  return /* @__PURE__ */ jsxs29("section", { "data-value": name, children: [
    /* @__PURE__ */ jsx33("h2", { children: title }),
    view
  ] });
}
function Details({ task }) {
  const { origin } = task;
  const times = ["created_at", "available_at", "started_at", "completed_at", "updated_at", "due_date"];
  const facts = [
    ...times.map((name) => [`field.${name}`, task[name] && /* @__PURE__ */ jsx33(Time, { at: task[name], as: "moment" })]),
    ["field.timeout_seconds", number(task.timeout_seconds)],
    ["field.retries", t("task.retries", { used: task.current_retry_count, limit: task.retry_limit })],
    ["field.retry_delay_seconds", number(task.retry_delay_seconds)],
    ["field.retry_backoff", t(`retry_backoff.${task.retry_backoff}`)],
    ["field.worker", task.worker],
    [
      "field.origin",
      origin && /* @__PURE__ */ jsxs29(Fragment18, { children: [
        /* @__PURE__ */ jsx33("a", { href: hash(`/schedules/${encodeURIComponent(origin.schedule)}`), children: origin.schedule }),
        " ",
        /* @__PURE__ */ jsx33(Time, { at: origin.occurrence_at, as: "moment" })
      ] })
    ],
    ["field.traceparent", task.traceparent && /* @__PURE__ */ jsx33("code", { children: task.traceparent })]
  ];
  return /* @__PURE__ */ jsxs29("section", { children: [
    /* @__PURE__ */ jsx33("h2", { children: t("task.fields") }),
    task.description && /* @__PURE__ */ jsx33("p", { class: "description", children: task.description }),
    /* @__PURE__ */ jsx33("dl", { class: "facts", children: facts.map(
      ([name, value]) => value !== null && /* @__PURE__ */ jsxs29("div", { children: [
        /* @__PURE__ */ jsx33("dt", { children: t(name) }),
        /* @__PURE__ */ jsx33("dd", { children: value })
      ] }, name)
    ) })
  ] });
}

// src/pages/task/path.ts
var STEPS = [
  ["to_do", "in_progress"],
  ["retrying", "in_progress"],
  ["in_progress", "done"],
  ["in_progress", "retrying"],
  ["in_progress", "failed"],
  ["in_progress", "to_do"],
  ["to_do", "paused"],
  ["retrying", "paused"],
  ["paused", "to_do"],
  ["paused", "retrying"],
  ["to_do", "cancelled"],
  ["retrying", "cancelled"],
  ["paused", "cancelled"],
  ["in_progress", "cancelled"],
  ["failed", "to_do"],
  ["cancelled", "to_do"]
];
function path(task, attempts) {
  const steps = [];
  let at = "to_do";
  const go2 = (to) => {
    if (at !== to) steps.push([at, to]);
    at = to;
  };
  const isFailure = ({ outcome }) => outcome === "failed" || outcome === "timed_out" || outcome === "lost";
  const isFailed = task.status === "failed";
  const failures = attempts.filter(isFailure).length;
  const cancelled = attempts.findLastIndex(({ outcome }) => outcome === "cancelled");
  const since = attempts.slice(cancelled + 1).filter(isFailure).length;
  const counted2 = task.current_retry_count + (isFailed ? 1 : 0);
  const lastEarlier = since > counted2 ? failures - counted2 : 0;
  let seen = 0;
  for (const attempt of attempts) {
    if (at === "cancelled" || at === "failed") go2("to_do");
    const before2 = at;
    go2("in_progress");
    if (attempt.outcome === "done") go2("done");
    else if (attempt.outcome === "cancelled") go2("cancelled");
    else if (attempt.outcome === "released") go2(before2);
    else if (isFailure(attempt)) {
      const isFinal = ++seen === lastEarlier || isFailed && seen === failures;
      go2(isFinal ? "failed" : "retrying");
    }
  }
  if (at === task.status) return steps;
  const isStep = (from, to) => STEPS.some(([a, b]) => a === from && b === to);
  if (!isStep(at, task.status) && isStep(at, "to_do")) go2("to_do");
  go2(task.status);
  return steps;
}

// src/pages/task/diagram.tsx
import { jsx as jsx34, jsxs as jsxs30 } from "./vendor.js";
var [WIDTH2, HEIGHT2] = [104, 32];
var PLACES = {
  to_do: [76, 96],
  in_progress: [308, 96],
  done: [540, 28],
  failed: [540, 96],
  retrying: [308, 170],
  paused: [76, 170],
  cancelled: [308, 22]
};
var ROUND = {
  "paused cancelled": "M24 162C-14 130 -14 22 256 22",
  "retrying cancelled": "M360 170C432 150 432 40 360 26",
  "failed to_do": "M540 112V204Q540 214 530 214H18Q8 214 8 204V106Q8 96 24 96"
};
function Diagram({ task, attempts }) {
  const steps = path(task, attempts);
  const name = (status) => t(`status.${status}`);
  const taken2 = (step) => steps.filter(([a, b]) => a === step[0] && b === step[1]).length;
  const visited = /* @__PURE__ */ new Set(["to_do", ...steps.map(([, to]) => to)]);
  const all2 = ["to_do", ...steps.map(([, to]) => to)];
  const told = all2.length > 12 ? [...all2.slice(0, 4), null, ...all2.slice(-6)] : all2;
  const label = told.map((status) => status ? name(status) : "…").join(" → ");
  const drawn = [...STEPS].sort((a, b) => Math.sign(taken2(a)) - Math.sign(taken2(b)));
  return /* @__PURE__ */ jsx34("div", { class: "diagram", tabIndex: 0, role: "group", "aria-label": t("task.path"), children: /* @__PURE__ */ jsxs30("svg", { viewBox: "0 0 600 222", role: "img", "aria-label": label, children: [
    ["step", "taken"].map((kind) => /* @__PURE__ */ jsx34("marker", { id: `arrow-${kind}`, class: kind, viewBox: "0 0 8 8", refX: "7", refY: "4", markerWidth: "7", markerHeight: "7", orient: "auto-start-reverse", children: /* @__PURE__ */ jsx34("path", { d: "M0 0L8 4L0 8Z" }) }, kind)),
    drawn.map((step) => {
      const kind = taken2(step) ? "taken" : "step";
      return /* @__PURE__ */ jsx34("path", { "data-step": step.join(" "), class: kind, d: lineOf(step), "marker-end": `url(#arrow-${kind})`, children: /* @__PURE__ */ jsxs30("title", { children: [
        `${name(step[0])} → ${name(step[1])}`,
        taken2(step) > 1 && ` × ${taken2(step)}`
      ] }) }, step.join(" "));
    }),
    Object.keys(PLACES).map((status) => {
      const [x, y] = PLACES[status];
      const kind = status === task.status ? "here" : visited.has(status) ? "visited" : "";
      return /* @__PURE__ */ jsxs30("g", { class: `state ${kind}`, "data-state": status, children: [
        /* @__PURE__ */ jsx34("rect", { x: x - WIDTH2 / 2, y: y - HEIGHT2 / 2, width: WIDTH2, height: HEIGHT2, rx: "8" }),
        /* @__PURE__ */ jsx34("text", { x, y: y + 4.5, children: name(status) })
      ] }, status);
    })
  ] }) });
}
function lineOf([from, to]) {
  const round = ROUND[`${from} ${to}`];
  if (round) return round;
  const [[x1, y1], [x2, y2]] = [PLACES[from], PLACES[to]];
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy);
  const [sx, sy] = [-dy / length * 6, dx / length * 6];
  const inside = Math.min(WIDTH2 / 2 / Math.abs(dx || 1e-9), HEIGHT2 / 2 / Math.abs(dy || 1e-9));
  const at = (share) => `${(x1 + dx * share + sx).toFixed(1)} ${(y1 + dy * share + sy).toFixed(1)}`;
  return `M${at(inside)}L${at(1 - inside)}`;
}

// src/pages/task/edit.tsx
import { useSignal as useSignal2 } from "./vendor.js";
import { useRef as useRef5, useState as useState9 } from "./vendor.js";
import { jsx as jsx35, jsxs as jsxs31 } from "./vendor.js";
function Edit({ task, onClose }) {
  const first = useRef5(valuesOf(task)).current;
  const values = useSignal2(first);
  const [faults, setFaults] = useState9({});
  const [problem, setProblem] = useState9(null);
  const [isBusy, setBusy] = useState9(false);
  const names = editable(task);
  const save = async () => {
    const changed = names.filter((name) => values.value[name] !== first[name]);
    const found = faultsOf(values.value, changed);
    setFaults(found);
    setProblem(null);
    if (Object.keys(found).length) return;
    if (!changed.length) return onClose();
    setBusy(true);
    try {
      await send("PATCH", `/tasks/${task.id}`, { body: bodyOf(values.value, changed, false) });
      tell(t("task.saved", { id: String(task.id) }));
      onClose();
      await refreshAll();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const byField = faultsIn(error);
      setFaults(byField);
      if (error.facts.task_status) {
        tellRefusal(error);
        await refreshAll();
      } else if (!Object.keys(byField).length) setProblem(error);
    }
    setBusy(false);
  };
  return /* @__PURE__ */ jsxs31(
    "form",
    {
      noValidate: true,
      class: "edit",
      "aria-label": t("task.edit"),
      onSubmit: (event) => {
        event.preventDefault();
        if (!isBusy) void save();
      },
      children: [
        /* @__PURE__ */ jsx35(TaskFields, { names, values, faults }),
        problem && /* @__PURE__ */ jsx35(ProblemNote, { problem }),
        /* @__PURE__ */ jsxs31("p", { class: "row", children: [
          /* @__PURE__ */ jsx35("button", { type: "submit", class: "main", disabled: isBusy, children: t("task.save") }),
          /* @__PURE__ */ jsx35("button", { type: "button", onClick: onClose, children: t("action.cancel") })
        ] })
      ]
    }
  );
}

// src/pages/task/lease.tsx
import { jsx as jsx36, jsxs as jsxs32 } from "./vendor.js";
function Lease({ task }) {
  return /* @__PURE__ */ jsxs32("section", { children: [
    /* @__PURE__ */ jsx36("h2", { children: t("task.attempt_of", { attempt: task.attempt, worker: task.worker ?? "?" }) }),
    /* @__PURE__ */ jsxs32("dl", { class: "totals lease", children: [
      /* @__PURE__ */ jsx36(Countdown, { name: "deadline", at: task.deadline_at }),
      /* @__PURE__ */ jsx36(Countdown, { name: "lease", at: task.lease_expires_at }),
      /* @__PURE__ */ jsxs32("div", { children: [
        /* @__PURE__ */ jsx36("dt", { children: t("task.heartbeat") }),
        /* @__PURE__ */ jsx36("dd", { children: /* @__PURE__ */ jsx36(Time, { at: task.last_heartbeat_at }) })
      ] })
    ] })
  ] });
}
function Countdown({ name, at }) {
  const left = at === null ? null : (Date.parse(at) - now.value) / 1e3;
  return /* @__PURE__ */ jsxs32("div", { children: [
    /* @__PURE__ */ jsx36("dt", { children: t(`task.${name}`) }),
    /* @__PURE__ */ jsxs32("dd", { children: [
      /* @__PURE__ */ jsx36("span", { "data-countdown": name, children: left === null ? /* @__PURE__ */ jsx36(Time, { at: null }) : left <= 0 ? t("task.over") : clockText(left) }),
      " ",
      at && /* @__PURE__ */ jsx36("small", { class: "quiet", children: /* @__PURE__ */ jsx36(Time, { at, as: "moment" }) })
    ] })
  ] });
}
function clockText(seconds) {
  if (seconds >= 36 * 3600) return span(seconds);
  const whole = Math.floor(seconds);
  const [hours, rest] = [Math.floor(whole / 3600), whole % 3600];
  const two = (value) => String(value).padStart(2, "0");
  return `${hours ? `${hours}:` : ""}${two(Math.floor(rest / 60))}:${two(rest % 60)}`;
}

// src/pages/task/relatives.tsx
import { useEffect as useEffect4, useState as useState10 } from "./vendor.js";

// src/pages/task/graph.tsx
import { Fragment as Fragment19, jsx as jsx37, jsxs as jsxs33 } from "./vendor.js";
var [STEP, GAP] = [60, 56];
var MANY = 12;
function Graph({ task, parents, children }) {
  const isLong = Math.max(rowsOf(parents), rowsOf(children)) > MANY;
  const ended = ["done", "failed", "cancelled"];
  const isEnded = ended.includes(task.status);
  return /* @__PURE__ */ jsxs33("div", { class: isLong ? "graph long" : "graph", children: [
    /* @__PURE__ */ jsx37(Relations, { side: parents, isDone: ({ status }) => ended.includes(status), isLong }),
    /* @__PURE__ */ jsx37("div", { class: "node here", "aria-current": "true", children: /* @__PURE__ */ jsx37(Node, { ...task, name: children.relatives.tasks[0]?.name ?? null }) }),
    /* @__PURE__ */ jsx37(Relations, { side: children, isDone: () => isEnded, isLong })
  ] });
}
function Relations({ side, isDone, isLong }) {
  const { direction, relatives, onMore, onFirst } = side;
  const { total, tasks } = relatives;
  const name = t(`task.${direction}`, { n: total });
  return /* @__PURE__ */ jsxs33(Fragment19, { children: [
    /* @__PURE__ */ jsxs33("div", { class: `head ${direction}`, children: [
      /* @__PURE__ */ jsx37("h3", { children: name }),
      /* @__PURE__ */ jsx37(Counts, { relatives })
    ] }),
    rowsOf(side) > 0 && /* @__PURE__ */ jsxs33(Fragment19, { children: [
      /* @__PURE__ */ jsxs33("ul", { class: direction, "aria-label": name, children: [
        tasks.map((each) => /* @__PURE__ */ jsx37("li", { class: isDone(each) ? void 0 : "awaited", children: /* @__PURE__ */ jsx37("a", { class: "node", href: hash(`/tasks/${each.id}`), children: /* @__PURE__ */ jsx37(Node, { ...each, name: direction === "parents" ? each.name : null }) }) }, each.id)),
        (onMore || onFirst) && /* @__PURE__ */ jsxs33("li", { class: "more", children: [
          onFirst && /* @__PURE__ */ jsx37("button", { type: "button", onClick: onFirst, children: t("task.first_relatives") }),
          onMore && /* @__PURE__ */ jsx37("button", { type: "button", onClick: onMore, children: t("task.more_relatives", { n: total - tasks.length }) })
        ] }, "more")
      ] }),
      /* @__PURE__ */ jsx37(Lines, { side, isDone, isLong })
    ] })
  ] });
}
function Node({ id, name, title, status }) {
  return /* @__PURE__ */ jsxs33(Fragment19, { children: [
    /* @__PURE__ */ jsx37("strong", { title, children: title }),
    /* @__PURE__ */ jsxs33("span", { class: "row", children: [
      /* @__PURE__ */ jsx37(StatusChip, { status }),
      " ",
      /* @__PURE__ */ jsxs33("span", { class: "quiet", children: [
        "#",
        id
      ] }),
      " ",
      name !== null && /* @__PURE__ */ jsx37("span", { class: "quiet cut", children: name })
    ] })
  ] });
}
function Counts({ relatives: { total, unmet, done, failed, cancelled } }) {
  const said = [
    [unmet, /* @__PURE__ */ jsx37(Chip, { tone: "info", children: t("task.unmet", { n: unmet }) })],
    [done, /* @__PURE__ */ jsx37(Chip, { tone: "good", children: t("task.counted", { status: t("status.done"), n: done }) })],
    [failed, /* @__PURE__ */ jsx37(Chip, { tone: "bad", children: t("task.counted", { status: t("status.failed"), n: failed }) })],
    [cancelled, /* @__PURE__ */ jsx37(Chip, { tone: "off", children: t("task.counted", { status: t("status.cancelled"), n: cancelled }) })]
  ];
  return total > 0 ? /* @__PURE__ */ jsx37("p", { class: "row counts", children: said.map(([n, chip]) => n > 0 && chip) }) : null;
}
function Lines({ side, isDone, isLong }) {
  const { direction, relatives } = side;
  const height = rowsOf(side) * STEP;
  const middle = isLong ? STEP / 2 : height / 2;
  const [from, to] = direction === "parents" ? [0, GAP - 5] : [GAP - 5, 0];
  const head = (y) => /* @__PURE__ */ jsx37("path", { class: "head", d: `M${GAP} ${y}l-7 -4v8z` });
  return /* @__PURE__ */ jsxs33("svg", { class: `lines ${direction}`, width: GAP, height, viewBox: `0 0 ${GAP} ${height}`, "aria-hidden": "true", children: [
    Array.from({ length: rowsOf(side) }, (_, row) => {
      const y = (row + 0.5) * STEP;
      const each = relatives.tasks[row];
      return /* @__PURE__ */ jsx37(
        "path",
        {
          class: !each || !isDone(each) ? "awaited" : void 0,
          d: `M${from} ${y}C${GAP / 2} ${y} ${GAP / 2} ${middle} ${to} ${middle}`
        },
        row
      );
    }),
    direction === "parents" ? head(middle) : relatives.tasks.map((_, row) => head((row + 0.5) * STEP))
  ] });
}
function rowsOf({ relatives, onMore, onFirst }) {
  return relatives.tasks.length + Number(Boolean(onMore || onFirst));
}

// src/pages/task/relatives.tsx
import { jsx as jsx38, jsxs as jsxs34 } from "./vendor.js";
var LIMITS2 = [8, 100, 1e3];
var related = /* @__PURE__ */ new Set();
function isRelated({ id, waiting_on, error }) {
  return waiting_on === "tasks" || /^dependency \d+ /.test(error ?? "") || related.has(id);
}
function RelativesSection({ task, isOpenAtFirst }) {
  const [isOpen, setOpen] = useState10(isOpenAtFirst);
  return /* @__PURE__ */ jsx38("section", { class: "relatives", children: /* @__PURE__ */ jsxs34("details", { open: isOpen, onToggle: (event) => setOpen(event.currentTarget.open), children: [
    /* @__PURE__ */ jsx38("summary", { children: /* @__PURE__ */ jsx38("h2", { children: t("task.relatives") }) }),
    isOpen && /* @__PURE__ */ jsx38(Both, { task })
  ] }) });
}
function Both({ task }) {
  const isEnded = ["done", "failed", "cancelled"].includes(task.status);
  const parents = useSide(task, "parents", true);
  const children = useSide(task, "children", isEnded);
  return /* @__PURE__ */ jsx38(Loaded, { resource: together(parents.resource, children.resource), children: ([before2, after]) => /* @__PURE__ */ jsx38(Graph, { task, parents: parents.side(before2), children: children.side(after) }) });
}
function useSide({ id, updated_at }, direction, mayRest) {
  const [step, setStep] = useState10(0);
  const [address, setAddress] = useState10(null);
  const [hasEnded, setEnded] = useState10(false);
  const rests = mayRest && hasEnded;
  const limit = LIMITS2[step];
  const resource = useResource(
    `${direction} ${id} ${limit} ${address ?? ""} ${rests ? updated_at : ""}`,
    (signal6) => address ? send("GET", address, { signal: signal6 }) : get("/tasks/{task_id}/dependencies", { path: { task_id: id }, query: { direction, limit }, signal: signal6 }),
    { everySeconds: rests ? Infinity : 0, keepsOld: true }
  );
  const { data } = resource.state.value;
  useEffect4(() => {
    for (const task of data?.document.tasks ?? []) related.add(task.id);
    if (data) setEnded(data.document.unmet === 0);
  }, [data]);
  const side = ({ document: document2, next }) => ({
    direction,
    relatives: document2,
    onMore: next ? () => step + 1 < LIMITS2.length ? setStep(step + 1) : setAddress(next) : void 0,
    onFirst: address ? () => setAddress(null) : void 0
  });
  return { resource, side };
}

// src/pages/task/page.tsx
import { Fragment as Fragment20, jsx as jsx39, jsxs as jsxs35 } from "./vendor.js";
function TaskPage({ id }) {
  return /^[1-9]\d{0,14}$/.test(id) ? /* @__PURE__ */ jsx39(Known, { id: Number(id) }) : /* @__PURE__ */ jsx39(Gone, { id });
}
function Known({ id }) {
  const task = useResource(
    `task ${id}`,
    async (signal6) => (await get("/tasks/{task_id}", { path: { task_id: id }, signal: signal6 })).document
  );
  if (task.state.value.problem?.status === 404) return /* @__PURE__ */ jsx39(Gone, { id: String(id) });
  return /* @__PURE__ */ jsx39(Loaded, { resource: task, children: (found) => /* @__PURE__ */ jsx39(Shown, { task: found }, found.id) });
}
function Gone({ id }) {
  const days = me.value?.retention_days;
  return /* @__PURE__ */ jsxs35(Empty, { children: [
    /* @__PURE__ */ jsxs35("p", { children: [
      t("task.gone", { id }),
      " ",
      days ? t("task.gone_kept", { days }) : ""
    ] }),
    /* @__PURE__ */ jsx39("a", { href: hash("/tasks"), children: t("task.all") })
  ] });
}
function Shown({ task }) {
  const [isEdited, setEdited] = useState11(false);
  const [isFlow] = useState11(isRelated(task));
  const { resource, address, setAddress } = useAttempts(task);
  const answer = resource.state.value.data;
  useHold(isEdited);
  return /* @__PURE__ */ jsxs35(Fragment20, { children: [
    /* @__PURE__ */ jsxs35("section", { class: "task", children: [
      /* @__PURE__ */ jsxs35("p", { class: "row quiet", children: [
        /* @__PURE__ */ jsxs35("a", { href: hash("/tasks"), children: [
          "← ",
          t("task.all")
        ] }),
        /* @__PURE__ */ jsxs35("span", { children: [
          "#",
          task.id
        ] }),
        /* @__PURE__ */ jsx39(CopyButton, { text: String(task.id) })
      ] }),
      /* @__PURE__ */ jsx39("h2", { children: task.title }),
      /* @__PURE__ */ jsxs35("p", { class: "row", children: [
        /* @__PURE__ */ jsx39(StatusChip, { status: task.status }),
        /* @__PURE__ */ jsx39("a", { href: hash("/tasks", { queue: task.queue }), children: task.queue }),
        /* @__PURE__ */ jsx39("span", { children: t("task.priority", { priority: priorityText(task.priority) }) }),
        task.tags.map((tag) => /* @__PURE__ */ jsx39("a", { href: hash("/tasks", { tag }), children: /* @__PURE__ */ jsx39(Chip, { children: tag }) }, tag))
      ] }),
      isEdited ? /* @__PURE__ */ jsx39(Edit, { task, onClose: () => setEdited(false) }) : /* @__PURE__ */ jsx39(Actions2, { task, onEdit: () => setEdited(true) })
    ] }),
    /* @__PURE__ */ jsx39(Why, { task }),
    task.status === "in_progress" && /* @__PURE__ */ jsx39(Lease, { task }),
    isFlow && /* @__PURE__ */ jsx39(RelativesSection, { task, isOpenAtFirst: true }),
    task.progress && /* @__PURE__ */ jsx39(Value, { name: "progress", value: task.progress }),
    /* @__PURE__ */ jsxs35("section", { children: [
      /* @__PURE__ */ jsx39("h2", { children: t("task.path") }),
      /* @__PURE__ */ jsx39(Diagram, { task, attempts: address === null ? answer?.document ?? [] : [] })
    ] }),
    /* @__PURE__ */ jsx39(Loaded, { resource, children: (found) => /* @__PURE__ */ jsx39(Attempts, { answer: found, address, setAddress }) }),
    !isFlow && /* @__PURE__ */ jsx39(RelativesSection, { task, isOpenAtFirst: false }),
    /* @__PURE__ */ jsxs35("div", { class: "pair", children: [
      /* @__PURE__ */ jsx39(Value, { name: "payload", value: task.payload }),
      /* @__PURE__ */ jsx39(Value, { name: "result", value: task.result })
    ] }),
    /* @__PURE__ */ jsx39(Details, { task })
  ] });
}

// src/pages/tasks/jobs.tsx
import { effect, signal as signal2 } from "./vendor.js";
import { Fragment as Fragment21, jsx as jsx40, jsxs as jsxs36 } from "./vendor.js";
var jobs = signal2([]);
var lastId = 0;
effect(() => {
  const isBusy = jobs.value.some((job) => job.runs.value);
  window.onbeforeunload = isBusy ? (event) => event.preventDefault() : null;
});
function start(plan) {
  const job = { ...plan, id: ++lastId, done: signal2(0), runs: signal2(false), isBusy: false, problem: signal2(null) };
  jobs.value = [...jobs.value, job];
  void run(job);
}
async function run(job) {
  job.runs.value = true;
  job.problem.value = null;
  if (job.isBusy) return;
  job.isBusy = true;
  try {
    for (let isMore = true; job.runs.value; ) {
      let count2;
      ({ count: count2, isMore } = await job.step());
      job.done.value += count2;
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
function close(job) {
  jobs.value = jobs.value.filter((each) => each !== job);
}
function Jobs() {
  if (jobs.value.length === 0) return null;
  return /* @__PURE__ */ jsx40("section", { class: "jobs", "aria-label": t("tasks.jobs"), children: jobs.value.map((job) => /* @__PURE__ */ jsx40(One2, { job }, job.id)) });
}
function One2({ job }) {
  const done = job.done.value;
  const share = job.total ? done / job.total : 0;
  const far = job.total === null ? t("tasks.count", { n: number(done) }) : t("tasks.far", { n: done, total: job.total });
  const isRefused = job.problem.value?.status === 409;
  return /* @__PURE__ */ jsxs36("div", { class: "job", children: [
    /* @__PURE__ */ jsxs36("p", { class: "row", children: [
      /* @__PURE__ */ jsx40("strong", { children: job.title }),
      job.total !== null && /* @__PURE__ */ jsx40(Bar, { share, label: far }),
      /* @__PURE__ */ jsx40("span", { children: far }),
      job.runs.value ? /* @__PURE__ */ jsx40("button", { type: "button", onClick: () => job.runs.value = false, children: t("tasks.stop") }) : /* @__PURE__ */ jsxs36(Fragment21, { children: [
        /* @__PURE__ */ jsx40("span", { class: "quiet", children: t("tasks.stopped") }),
        !isRefused && /* @__PURE__ */ jsx40("button", { type: "button", onClick: () => void run(job), children: t("tasks.go_on") }),
        job.meanwhile && /* @__PURE__ */ jsx40("button", { type: "button", onClick: job.meanwhile.run, children: job.meanwhile.label }),
        /* @__PURE__ */ jsx40("button", { type: "button", onClick: () => close(job), children: t("action.close") })
      ] })
    ] }),
    job.problem.value && /* @__PURE__ */ jsx40(ProblemNote, { problem: job.problem.value })
  ] });
}

// src/pages/tasks/list.tsx
import { useEffect as useEffect7 } from "./vendor.js";

// src/parts/menu.tsx
import { jsx as jsx41, jsxs as jsxs37 } from "./vendor.js";
function Menu({ label, children }) {
  const close2 = (menu) => menu.removeAttribute("open");
  return /* @__PURE__ */ jsxs37(
    "details",
    {
      class: "menu",
      onFocusOut: (event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) close2(event.currentTarget);
      },
      onKeyDown: (event) => {
        if (event.key !== "Escape") return;
        close2(event.currentTarget);
        event.currentTarget.querySelector("summary").focus();
      },
      children: [
        /* @__PURE__ */ jsx41("summary", { children: label }),
        /* @__PURE__ */ jsx41("div", { class: "panel", tabIndex: -1, children })
      ]
    }
  );
}

// src/pages/tasks/choice.ts
import { signal as signal3 } from "./vendor.js";
var selected = signal3(/* @__PURE__ */ new Set());
var all = signal3(null);
var statuses = /* @__PURE__ */ new Map();
var of = "";
function clear() {
  selected.value = /* @__PURE__ */ new Set();
}
function chooseFrom(filters, rows) {
  if (of !== filters) clear(), statuses.clear();
  of = filters;
  for (const row of rows) statuses.set(row.id, row.status);
}

// src/pages/tasks/columns.tsx
import { Fragment as Fragment22, jsx as jsx42, jsxs as jsxs38 } from "./vendor.js";
var USUAL = ["id", "title", "status", "priority", "queue", "tags", "attempt", "created_at"];
var TIMES = ["created_at", "updated_at", "available_at", "due_date", "started_at", "completed_at"];
var CELLS = {
  id: (row) => row.id,
  title: (row) => /* @__PURE__ */ jsx42("a", { class: "clip", href: hash(`/tasks/${row.id}`), title: row.title, children: row.title }),
  status: (row, refine2) => /* @__PURE__ */ jsx42("a", { href: refine2("status", row.status), children: /* @__PURE__ */ jsx42(StatusChip, { status: row.status }) }),
  priority: (row, refine2) => /* @__PURE__ */ jsx42("a", { href: refine2("priority", row.priority), children: priorityText(row.priority) }),
  queue: (row, refine2) => /* @__PURE__ */ jsx42("a", { href: refine2("queue", row.queue), children: row.queue }),
  tags: (row, refine2) => row.tags.map((tag) => /* @__PURE__ */ jsx42("a", { class: "tag", href: refine2("tag", tag), children: tag }, tag)),
  attempt: (row) => row.attempt,
  ...Object.fromEntries(TIMES.map((key) => [key, (row) => /* @__PURE__ */ jsx42(Time, { at: row[key] })])),
  worker: (row, refine2) => row.worker ? /* @__PURE__ */ jsx42("a", { href: refine2("worker", row.worker), children: row.worker }) : "–",
  error: (row) => /* @__PURE__ */ jsx42("span", { class: "clip", title: row.error ?? "", children: row.error ?? "–" }),
  payload: (row) => row.payload_bytes === null ? "–" : bytes(row.payload_bytes)
};
var chosen = kept("tasks.columns", USUAL, (x) => Array.isArray(x) && x.some((key) => key in CELLS));
function columnsOf(refine2, isGone) {
  return Object.keys(CELLS).filter((key) => chosen.value.includes(key)).map((key, index) => ({
    key,
    title: titleOf(key),
    isNumber: key === "id" || key === "attempt" || key === "payload",
    cell: (row) => /* @__PURE__ */ jsxs38(Fragment22, { children: [
      CELLS[key](row, refine2),
      index === 0 && isGone(row) && /* @__PURE__ */ jsxs38(Fragment22, { children: [
        " ",
        /* @__PURE__ */ jsx42(Chip, { tone: "off", children: t("tasks.gone") })
      ] })
    ] })
  }));
}
function ChooseColumns() {
  const toggle = (key, isOn) => {
    const others = chosen.value.filter((each) => each !== key);
    if (isOn) chosen.value = [...others, key];
    else if (others.length) chosen.value = others;
  };
  return /* @__PURE__ */ jsx42(Menu, { label: t("tasks.columns"), children: Object.keys(CELLS).map((key) => /* @__PURE__ */ jsxs38("label", { class: "choice", children: [
    /* @__PURE__ */ jsx42(
      "input",
      {
        type: "checkbox",
        checked: chosen.value.includes(key),
        onChange: (event) => toggle(key, event.currentTarget.checked)
      }
    ),
    titleOf(key)
  ] }, key)) });
}
function titleOf(key) {
  return t(`tasks.column.${key}`);
}

// src/pages/tasks/cost.tsx
import { signal as signal5 } from "./vendor.js";
import { useEffect as useEffect5, useState as useState13 } from "./vendor.js";

// src/pages/tasks/filter_bar.tsx
import { signal as signal4 } from "./vendor.js";
import { useId, useState as useState12 } from "./vendor.js";

// src/pages/tasks/filters.ts
var STATUSES = ["to_do", "in_progress", "retrying", "paused", "done", "failed", "cancelled"];
var PRIORITIES2 = { high: "高", medium: "中", low: "低" };
var SEVERAL = ["status", "priority", "queue", "tag", "id"];
var TIMES2 = ["created", "due", "completed", "available"].flatMap((of2) => [`${of2}_after`, `${of2}_before`]);
var KEYS = [...SEVERAL, "title", "worker", ...TIMES2];
var PART2 = /(?:([a-z_]+):\s*)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/g;
var AGO = /^(\d+)([smhd])$/;
var MS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
function filtersOf(query) {
  return [...query].filter(([key]) => KEYS.includes(key));
}
function isSearch(filters) {
  const asked = filters.map(([key, value]) => key === "status" ? `status ${value}` : key);
  const isOfRunning = asked.filter((key) => key.startsWith("status ")).join() === "status in_progress";
  return asked.some(
    (key) => key === "title" || /^(completed|available)_/.test(key) || key === "worker" && !isOfRunning
  );
}
function read(text, filters) {
  let found = filters;
  const words = [];
  for (const [, key, quoted2, word = ""] of text.trim().matchAll(PART2)) {
    const value = quoted2?.replace(/\\(.)/g, "$1") ?? word;
    if (key === void 0 && quoted2 === void 0 && KEYS.includes(word.replace(/:$/, "")) && word.endsWith(":"))
      return t("tasks.no_value", { key: word });
    if (key === void 0 || key === "title") words.push(value);
    else if (!KEYS.includes(key)) return t("tasks.no_such_key", { key, quoted: `"${key}:${value}"` });
    else {
      const several = SEVERAL.includes(key) && key !== "tag" && quoted2 === void 0;
      for (const each of several ? value.split(",") : [value]) {
        const fit = fitted(key, each);
        if (fit === null) return t("tasks.not_fit", { key, value: each });
        found = withFilter(found, key, fit);
      }
    }
  }
  const title = words.join(" ").trim();
  return title ? withFilter(found, "title", title) : found;
}
function withFilter(filters, key, value) {
  const kept2 = filters.filter(([k, v]) => k !== key || SEVERAL.includes(key) && v !== value);
  return [...kept2, [key, value]];
}
function written([key, value]) {
  return `${key}:${/^[^\s",]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
}
function completions(text, values) {
  const [, before2 = "", last = ""] = /^(.*?)(\S*)$/s.exec(text) ?? [];
  const key = /^([a-z_]+):/.exec(last)?.[1];
  if (key === void 0) return KEYS.filter((each) => each.startsWith(last)).map((each) => `${before2}${each}:`);
  const known2 = key === "status" ? STATUSES : key === "priority" ? Object.values(PRIORITIES2) : TIMES2.includes(key) ? ["15m", "1h", "24h", "7d"] : values(key);
  return known2.map((value) => before2 + written([key, value])).filter((each) => each.startsWith(text));
}
function resolved(filters) {
  return new URLSearchParams(
    filters.map(([key, value]) => {
      const [, n, unit] = TIMES2.includes(key) && AGO.exec(value) || [];
      if (!unit) return [key, value];
      const ms = Number(n) * MS[unit];
      const at = new Date(now.peek() + (/^(due|av)/.test(key) ? ms : -ms));
      return [key, isNaN(at.getTime()) ? value : at.toISOString()];
    })
  );
}
function isTime(key) {
  return TIMES2.includes(key);
}
function fitted(key, value) {
  if (key === "status") return STATUSES.includes(value) ? value : null;
  if (key === "priority") {
    const name = PRIORITIES2[value] ?? value;
    return Object.values(PRIORITIES2).includes(name) ? name : null;
  }
  if (key === "id") return /^[1-9]\d*$/.test(value) ? value : null;
  if (!TIMES2.includes(key) || AGO.test(value)) return value || null;
  const at = new Date(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00` : value);
  return isNaN(at.getTime()) ? null : at.toISOString();
}

// src/pages/tasks/view.ts
var ORDERS = ["", "order=asc", "order_by=available_at&order=asc"];
function orderOf(query) {
  const kept2 = [...query].filter(([key, value]) => key === "order" && value !== "desc" || key === "order_by");
  return String(new URLSearchParams(kept2.sort().reverse()));
}
function joined(...parts) {
  return parts.map(String).filter(Boolean).join("&");
}
function link(filters, order = "") {
  const query = joined(new URLSearchParams(filters), order);
  return query ? `#/tasks?${query}` : "#/tasks";
}
function linkTo(next) {
  const query = new URLSearchParams(next.split("?")[1]);
  query.delete("limit");
  query.delete("view");
  return `#/tasks?${query}`;
}
function asCurl(filters, order) {
  const query = joined(resolved(filters), order);
  const token = hasToken.value ? ' -H "Authorization: Bearer $ROWLOCK_TOKEN"' : "";
  return `curl -s${token} ${quoted(urlOf("/tasks") + (query ? `?${query}` : ""))}`;
}
function asCommand(filters, order) {
  const options = [...filters, ...new URLSearchParams(order)].map(
    ([key, value]) => ` --${key.replace("_", "-")}=${quoted(value)}`
  );
  return `rowlock list --url=${quoted(urlOf("/").replace(/\/$/, ""))}${options.join("")}`;
}
function quoted(text) {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}

// src/pages/tasks/filter_bar.tsx
import { jsx as jsx43, jsxs as jsxs39 } from "./vendor.js";
var draft = signal4("");
function FilterBar({ filters, order, values, onEnter }) {
  const [fault, setFault] = useState12("");
  const list = useId();
  const without = (filter) => go(link(filters.filter((each) => each !== filter), order));
  const edit = (filter) => {
    draft.value = written(filter);
    without(filter);
    document.querySelector("[data-filter]").focus();
  };
  const submit = (event) => {
    event.preventDefault();
    const found = read(draft.value, filters);
    if (typeof found === "string") return setFault(found);
    setFault("");
    onEnter(found);
    draft.value = "";
    go(link(found, order));
  };
  return /* @__PURE__ */ jsxs39("form", { class: "filters", role: "search", onSubmit: submit, children: [
    filters.map((filter) => /* @__PURE__ */ jsxs39("span", { class: "filter", children: [
      /* @__PURE__ */ jsx43("button", { type: "button", class: "plain", title: t("tasks.edit"), onClick: () => edit(filter), children: textOf3(filter) }),
      /* @__PURE__ */ jsx43("button", { type: "button", class: "plain", "aria-label": t("tasks.remove", { filter: textOf3(filter) }), onClick: () => without(filter), children: "×" })
    ] }, filter.join())),
    /* @__PURE__ */ jsx43(
      "input",
      {
        "data-filter": true,
        type: "search",
        autoComplete: "off",
        spellcheck: false,
        "aria-label": t("tasks.filter"),
        "aria-describedby": fault ? `${list}f` : void 0,
        placeholder: t("tasks.filter_like"),
        list,
        value: draft.value,
        onInput: (event) => draft.value = event.currentTarget.value,
        onKeyDown: (event) => {
          if (event.key !== "Backspace" || draft.value || filters.length === 0) return;
          event.preventDefault();
          edit(filters.at(-1));
        }
      }
    ),
    /* @__PURE__ */ jsx43("datalist", { id: list, children: completions(draft.value, values).map((each) => /* @__PURE__ */ jsx43("option", { value: each }, each)) }),
    fault && /* @__PURE__ */ jsx43("p", { class: "note bad", role: "alert", id: `${list}f`, children: fault })
  ] });
}
function textOf3(filter) {
  const [key, value] = filter;
  const at = isTime(key) && value.includes("T") ? new Date(value) : null;
  if (at === null || isNaN(at.getTime())) return `${key}: ${value}`;
  return `${key}: ${localTime(at, { dateStyle: "medium", timeStyle: "short" })}`;
}

// src/pages/tasks/cost.tsx
import { jsx as jsx44, jsxs as jsxs40 } from "./vendor.js";
var PAUSE_MS = 400;
var begun = signal5("");
function useCost(filters, order, limit) {
  const text = useSettled(draft.value);
  const found = text ? read(text, filters) : filters;
  const next = typeof found === "string" ? filters : found;
  const isAsked = isSearch(next) || isCombined(next);
  const of2 = keyOf(next, order);
  const resource = useResource(
    `cost ${isAsked ? of2 : ""}`,
    async (signal6) => {
      if (!isAsked) return null;
      const query = joined(`limit=${limit}`, resolved(next), order);
      return (await send("GET", `/tasks/cost?${query}`, { signal: signal6 })).document;
    },
    { everySeconds: Infinity }
  );
  const { data, problem } = resource.state.value;
  const isKnown = of2 === keyOf(filters, order) && (data !== null || problem !== null);
  const isFree = !isSearch(filters) || begun.value === link(filters, order);
  const waits = !isFree && !(isKnown && !data?.may_be_cut_off);
  useEffect5(() => {
    if (!isFree && !waits) begun.value = link(filters, order);
  });
  return {
    cost: isAsked ? data : null,
    waits,
    isHeld: waits && isKnown,
    enter: (wanted) => {
      if (data !== null && of2 === keyOf(wanted, order)) begun.value = link(wanted, order);
    }
  };
}
function CostLine({ cost, isHeld, onRun }) {
  const { index, rows_at_least: least, rows_at_most: most } = cost;
  const rows = { index: index ?? "", least: number(least), n: number(most) };
  return /* @__PURE__ */ jsxs40("p", { class: `note row ${cost.may_be_cut_off ? "warn" : "info"}`, role: "status", children: [
    /* @__PURE__ */ jsx44("span", { children: t(index === null ? "tasks.cost_nothing" : least === most ? "tasks.cost" : "tasks.cost_between", rows) }),
    cost.may_be_cut_off && /* @__PURE__ */ jsx44("span", { children: t("tasks.cut_off", { seconds: cost.timeout_seconds }) }),
    isHeld && /* @__PURE__ */ jsx44("button", { type: "button", onClick: onRun, children: t("tasks.run") })
  ] });
}
function isCombined(filters) {
  return filters.length > 1 && filters.some(([key]) => key === "tag");
}
function keyOf(filters, order) {
  const parts = filters.map(([key, value]) => key === "title" || key === "worker" ? key : `${key}=${value}`);
  return [...parts.sort(), order].join("&");
}
function useSettled(text) {
  const [settled, settle] = useState13(text);
  useEffect5(() => {
    const timer = setTimeout(() => settle(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

// src/pages/tasks/ndjson.ts
var PAGE4 = 1e3;
function exportTasks(query, total) {
  const pages = [];
  let next = `/tasks?limit=${PAGE4}${query && `&${query}`}`;
  let count2 = 0;
  const save = () => {
    const link2 = document.createElement("a");
    link2.href = URL.createObjectURL(new Blob(pages, { type: "application/x-ndjson" }));
    link2.download = "tasks.ndjson";
    link2.click();
    setTimeout(() => URL.revokeObjectURL(link2.href), 6e4);
  };
  start({
    title: t("tasks.export"),
    total,
    step: async () => {
      const answer = await send("GET", next);
      pages.push(new Blob(answer.document.map((task) => `${lineOf2(task)}
`)));
      count2 += answer.document.length;
      next = answer.next;
      return { count: answer.document.length, isMore: next !== null };
    },
    atEnd: () => {
      save();
      tell(t("tasks.exported", { n: count2 }));
    },
    meanwhile: { label: t("tasks.save_part"), run: save }
  });
}
function lineOf2(task) {
  const fields = Object.entries(task).map(
    ([key, value]) => `${JSON.stringify(key)}: ${value instanceof JsonText ? value.text : JSON.stringify(value)}`
  );
  return `{${fields.join(", ")}}`;
}

// src/pages/tasks/rows.ts
import { useRef as useRef6, useState as useState14 } from "./vendor.js";
function useSteadyRows(listed, by, isAscending) {
  const shown = useRef6({ of: "", rows: [] });
  const [, showAgain] = useState14({});
  if (shown.current.of !== listed.of || shown.current.rows.length === 0) {
    shown.current = { of: listed.of, rows: listed.rows };
  }
  const fresh = new Map(listed.rows.map((row) => [row.id, row]));
  const known2 = new Set(shown.current.rows.map((row) => row.id));
  const rows = shown.current.rows = shown.current.rows.map((row) => fresh.get(row.id) ?? row);
  const last = listed.next === null ? void 0 : listed.rows.at(-1);
  const isBefore = (a, b) => {
    const [x, y] = [String(a[by]), String(b[by])];
    return (x === y ? a.id < b.id : x < y) === isAscending;
  };
  const gone = new Set(
    rows.filter((row) => !fresh.has(row.id) && (!last || isBefore(row, last))).map((row) => row.id)
  );
  const news = listed.rows.filter((row) => !known2.has(row.id)).length;
  const take = () => {
    shown.current = { of: listed.of, rows: listed.rows };
    showAgain({});
  };
  return { rows, gone, news, isMore: news === listed.rows.length && last !== void 0, take };
}

// src/pages/tasks/selection.tsx
import { useState as useState16 } from "./vendor.js";

// src/pages/tasks/bulk.tsx
import { useEffect as useEffect6, useState as useState15 } from "./vendor.js";
import { jsx as jsx45, jsxs as jsxs41 } from "./vendor.js";
var ACTIONS = ["pause", "resume", "retry", "cancel", "delete"];
var IDS = 200;
var PAGE5 = 500;
var MOST_EXPECTED = 1e5;
function BlastRadius({ action, scope, onClose }) {
  const [blast, setBlast] = useState15(null);
  const look = () => {
    setBlast(null);
    void count(action, scope).then(setBlast, (error) => {
      if (!(error instanceof Problem)) throw error;
      setBlast(error);
    });
  };
  useEffect6(look, []);
  const verb = t(`tasks.${action}`);
  if (blast === null || blast instanceof Problem) {
    return /* @__PURE__ */ jsx45(Dialog, { title: verb, onClose, children: blast ? /* @__PURE__ */ jsx45(ProblemNote, { problem: blast, onRetry: look }) : /* @__PURE__ */ jsx45("p", { "aria-busy": "true", children: t("tasks.looking") }) });
  }
  const moved = [...blast.by].filter(([status]) => blast.to.has(status));
  const stay = [...blast.by].filter(([status]) => !blast.to.has(status));
  const changes = sum2(moved);
  const n = blast.isExact ? number(changes) : t("tasks.at_least", { n: changes });
  const isDangerous = action === "cancel" || action === "delete";
  const act3 = () => {
    onClose();
    const run2 = () => begin(action, scope, blast, changes);
    if (isDangerous) doLater(t(`tasks.later.${action}`, { n }), run2);
    else run2();
  };
  return /* @__PURE__ */ jsxs41(
    Dialog,
    {
      title: verb,
      onClose,
      closeLabel: t("tasks.leave"),
      actions: changes > 0 && /* @__PURE__ */ jsx45("button", { type: "button", class: isDangerous ? "danger" : "main", onClick: act3, children: t("tasks.do", { verb, n }) }),
      children: [
        changes === 0 && /* @__PURE__ */ jsx45("p", { children: t("tasks.nothing_changes") }),
        /* @__PURE__ */ jsx45("table", { class: "blast", children: /* @__PURE__ */ jsx45("tbody", { children: [...moved, ...stay].map(([status, count2]) => {
          const to = blast.to.get(status);
          return /* @__PURE__ */ jsxs41("tr", { class: to ? void 0 : "quiet", children: [
            /* @__PURE__ */ jsx45("td", { class: "number", children: number(count2) }),
            /* @__PURE__ */ jsx45("td", { children: /* @__PURE__ */ jsx45(StatusChip, { status }) }),
            /* @__PURE__ */ jsx45("td", { children: to?.map((each, index) => /* @__PURE__ */ jsxs41("span", { children: [
              index ? ` ${t("tasks.or")} ` : "→ ",
              each === "deleted" ? t("tasks.deleted") : /* @__PURE__ */ jsx45(StatusChip, { status: each })
            ] }, each)) ?? t("tasks.stays") })
          ] }, status);
        }) }) }),
        !blast.isExact && /* @__PURE__ */ jsx45("p", { children: t("tasks.not_counted") })
      ]
    }
  );
}
async function count(action, scope) {
  const blast = { by: /* @__PURE__ */ new Map(), to: /* @__PURE__ */ new Map(), isExact: true };
  for (const part of partsOf(scope)) {
    const { document: document2 } = await act2(action, part, { dry_run: "true" });
    for (const [status, n] of Object.entries(document2.by_status ?? {}))
      blast.by.set(status, (blast.by.get(status) ?? 0) + n);
    for (const [status, to] of Object.entries(document2.to ?? {})) blast.to.set(status, to);
    blast.isExact &&= document2.is_exact ?? true;
  }
  return blast;
}
function begin(action, scope, blast, changes) {
  clear();
  const from = [...blast.to.keys()];
  const parts = partsOf(scope);
  if (blast.isExact) for (const part of parts) part.delete("status"), from.forEach((s) => part.append("status", s));
  const ids = scope.ids?.filter((id) => blast.to.has(statuses.get(id))) ?? [];
  let at = 0;
  let left = blast.isExact ? changes : Infinity;
  let after = null;
  let changed = 0;
  let isFirst = true;
  start({
    title: t(`tasks.${action}`),
    total: blast.isExact ? changes : null,
    step: async () => {
      const options = { limit: String(Math.min(PAGE5, left)) };
      if (after !== null) options.after = after;
      if (isFirst && scope.ids === null && left <= MOST_EXPECTED) options.expect_at_most = String(left);
      const { document: document2 } = await act2(action, parts[at], options);
      isFirst = false;
      left -= document2.matched;
      changed += document2.changed;
      after = document2.next;
      if (after === null) at++;
      return { count: document2.matched, isMore: left > 0 && at < parts.length };
    },
    atEnd: () => {
      const back = { pause: "resume", resume: "pause" }[action];
      tell(
        t(`tasks.done.${action}`, { n: changed }),
        back && ids.length ? { undo: () => void undo(back, ids).catch(tellProblem) } : {}
      );
      void refreshAll();
    }
  });
}
async function undo(action, ids) {
  const scope = { filters: new URLSearchParams(), ids };
  const blast = await count(action, scope);
  const changes = sum2([...blast.by].filter(([status]) => blast.to.has(status)));
  if (changes > 0) begin(action, scope, blast, changes);
}
function partsOf({ filters, ids }) {
  if (ids === null) return [new URLSearchParams(filters)];
  const parts = [];
  for (let at = 0; at < ids.length; at += IDS)
    parts.push(new URLSearchParams(ids.slice(at, at + IDS).map((id) => ["id", String(id)])));
  return parts;
}
function act2(action, filters, options) {
  return send("POST", `/admin/tasks/${action}?${filters}&${new URLSearchParams(options)}`);
}
function sum2(counts) {
  return counts.reduce((total, [, count2]) => total + count2, 0);
}

// src/pages/tasks/selection.tsx
import { Fragment as Fragment23, jsx as jsx46, jsxs as jsxs42 } from "./vendor.js";
function Selection({ filters, rows, matching, total }) {
  const [asked, setAsked] = useState16(null);
  const isAll = all.value === selected.value;
  const chooseAll = () => {
    selected.value = all.value = /* @__PURE__ */ new Set([...selected.value, ...rows.map((row) => String(row.id))]);
  };
  const ask = (action) => {
    const ids = isAll ? null : [...selected.value].map(Number);
    setAsked({ action, scope: { filters: resolved(filters), ids } });
  };
  return /* @__PURE__ */ jsxs42(Fragment23, { children: [
    asked && /* @__PURE__ */ jsx46(BlastRadius, { ...asked, onClose: () => setAsked(null) }),
    /* @__PURE__ */ jsx46("strong", { children: isAll && matching ? t("tasks.all_selected", { n: matching }) : t("table.selected", { n: selected.value.size }) }),
    !isAll && matching && selected.value.size < (total ?? Infinity) && /* @__PURE__ */ jsx46("button", { type: "button", class: "plain", onClick: chooseAll, children: t("tasks.select_all", { n: matching }) }),
    ACTIONS.map((action) => /* @__PURE__ */ jsx46("button", { type: "button", class: action === "delete" ? "danger" : void 0, onClick: () => ask(action), children: t(`tasks.${action}`) }, action)),
    /* @__PURE__ */ jsx46("button", { type: "button", class: "plain", onClick: clear, children: t("tasks.clear") })
  ] });
}

// src/pages/tasks/views.tsx
import { useState as useState17 } from "./vendor.js";
import { jsx as jsx47, jsxs as jsxs43 } from "./vendor.js";
var views = kept("tasks.views", [], (x) => Array.isArray(x) && x.every((each) => typeof each?.to === "string"));
function SavedViews({ here }) {
  const [name, setName] = useState17("");
  const others = (out) => views.value.filter((view) => view.name !== out);
  const save = (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    views.value = [...others(name.trim()), { name: name.trim(), to: here }];
    setName("");
  };
  return /* @__PURE__ */ jsxs43(Menu, { label: t("tasks.views"), children: [
    views.value.map((view) => /* @__PURE__ */ jsxs43("p", { class: "row", children: [
      /* @__PURE__ */ jsx47("a", { href: view.to, "aria-current": view.to === here, children: view.name }),
      /* @__PURE__ */ jsx47("button", { type: "button", class: "plain", "aria-label": t("tasks.remove", { filter: view.name }), onClick: () => views.value = others(view.name), children: "×" })
    ] }, view.name)),
    /* @__PURE__ */ jsxs43("form", { class: "row", onSubmit: save, children: [
      /* @__PURE__ */ jsx47(
        "input",
        {
          "aria-label": t("tasks.view_name"),
          placeholder: t("tasks.view_name"),
          value: name,
          onInput: (event) => setName(event.currentTarget.value)
        }
      ),
      /* @__PURE__ */ jsx47("button", { type: "submit", children: t("tasks.save_view") })
    ] })
  ] });
}

// src/pages/tasks/list.tsx
import { Fragment as Fragment24, jsx as jsx48, jsxs as jsxs44 } from "./vendor.js";
var PAGE6 = 50;
var before = /* @__PURE__ */ new Map();
function TaskList() {
  const { query } = location.value;
  const filters = filtersOf(query);
  const order = orderOf(query);
  const cursor = query.get("cursor");
  const wanted = String(new URLSearchParams(filters));
  const whole = joined(wanted, order);
  const view = joined(whole, cursor === null ? "" : new URLSearchParams({ cursor }));
  const isOnce = isSearch(filters);
  const isDelayed = order.startsWith("order_by");
  const { cost, waits, isHeld, enter } = useCost(filters, order, PAGE6);
  const list = useResource(
    `tasks ${view}`,
    async (signal6) => {
      const of2 = `${view} ${refreshes.peek()}`;
      const here = window.location.hash;
      const page = view.replace(wanted, String(resolved(filters)));
      const query2 = joined(`limit=${PAGE6}&view=summary`, page);
      const answer = await send("GET", `/tasks?${query2}`, { signal: signal6 });
      return { rows: answer.document, next: answer.next, here, list: whole, of: of2 };
    },
    { keepsOld: true, everySeconds: isOnce ? Infinity : 0, waits }
  );
  const count2 = useResource(
    `count ${wanted} ${isDelayed}`,
    async (signal6) => {
      if (isDelayed) return null;
      const query2 = String(resolved(filters));
      return (await send("GET", `/tasks/count${query2 && `?${query2}`}`, { signal: signal6 })).document;
    },
    {
      everySeconds: isOnce ? Infinity : filters.every(([key]) => /^(status|priority|queue)$/.test(key)) ? 15 : 60,
      waits
    }
  );
  const counted2 = count2.state.value.data;
  const matching = counted2 && (counted2.is_exact ? number(counted2.count) : t("tasks.at_least", { n: counted2.count }));
  const { problem, data } = list.state.value;
  const isSlow = problem?.title === "Search too slow";
  useHold(isSlow);
  useEffect7(() => {
    if (matching) announce(t("tasks.count", { n: matching }));
  }, [wanted, matching !== null]);
  const valuesOf2 = (key) => {
    const rows = data?.rows ?? [];
    return [...new Set(key === "tag" ? rows.flatMap((row) => row.tags) : rows.map((row) => String(row[key] ?? "")))];
  };
  return /* @__PURE__ */ jsxs44(Fragment24, { children: [
    /* @__PURE__ */ jsx48(FilterBar, { filters, order, values: valuesOf2, onEnter: enter }),
    cost && /* @__PURE__ */ jsx48(CostLine, { cost, isHeld, onRun: () => enter(filters) }),
    (isSlow || isHeld) && /* @__PURE__ */ jsx48(Narrow, { filters, order }),
    !(isHeld && data === null) && /* @__PURE__ */ jsx48(Loaded, { resource: list, children: (listed) => /* @__PURE__ */ jsx48(
      Rows,
      {
        listed,
        filters,
        order,
        matching,
        total: counted2?.is_exact ? counted2.count : null,
        isPaged: cursor !== null,
        isOther: listed.list !== whole
      }
    ) })
  ] });
}
function Rows({ listed, filters, order, matching, total, isPaged, isOther }) {
  const isDelayed = order.startsWith("order_by");
  const { rows, gone, news, isMore, take } = useSteadyRows(
    listed,
    isDelayed ? "available_at" : "created_at",
    order.includes("asc")
  );
  const isAdmin = opens("admin");
  const wanted = String(new URLSearchParams(filters));
  useEffect7(() => {
    if (!isOther) chooseFrom(wanted, rows);
  });
  const refine2 = (key, value) => link(withFilter(filters, key, value), order);
  const isChosen = isAdmin && !isOther && selected.value.size > 0;
  const here = window.location.hash;
  const next = listed.next && linkTo(listed.next);
  return /* @__PURE__ */ jsxs44(Fragment24, { children: [
    /* @__PURE__ */ jsx48("div", { class: "row tools", children: isChosen ? /* @__PURE__ */ jsx48(
      Selection,
      {
        filters,
        rows,
        matching: filters.length && !isDelayed ? matching : null,
        total
      }
    ) : /* @__PURE__ */ jsxs44(Fragment24, { children: [
      /* @__PURE__ */ jsx48("strong", { children: matching && t("tasks.count", { n: matching }) }),
      !isOther && (news > 0 || gone.size > 0) && /* @__PURE__ */ jsx48("button", { type: "button", class: "plain", onClick: take, children: news > 0 ? t("tasks.new", { n: `${number(news)}${isMore ? "+" : ""}` }) : t("tasks.some_gone", { n: gone.size }) }),
      /* @__PURE__ */ jsx48("span", { class: "fill" }),
      /* @__PURE__ */ jsx48(
        "select",
        {
          "aria-label": t("tasks.order"),
          value: order,
          onChange: (event) => go(link(filters, event.currentTarget.value)),
          children: ORDERS.map((each, index) => /* @__PURE__ */ jsx48("option", { value: each, children: [t("tasks.newest"), t("tasks.oldest"), t("tasks.delayed")][index] }, each))
        }
      ),
      /* @__PURE__ */ jsx48(ChooseColumns, {}),
      /* @__PURE__ */ jsx48(SavedViews, { here: link(filters, order) }),
      /* @__PURE__ */ jsxs44(Menu, { label: t("tasks.share"), children: [
        /* @__PURE__ */ jsx48(CopyButton, { text: asCurl(filters, order), label: t("tasks.as_curl") }),
        /* @__PURE__ */ jsx48(CopyButton, { text: asCommand(filters, order), label: t("tasks.as_command") }),
        /* @__PURE__ */ jsx48(
          "button",
          {
            type: "button",
            class: "plain",
            onClick: () => exportTasks(joined(resolved(filters), order), total),
            children: t("tasks.export")
          }
        )
      ] })
    ] }) }),
    /* @__PURE__ */ jsxs44("div", { inert: isOther, children: [
      rows.length === 0 ? filters.length || isPaged || isDelayed ? /* @__PURE__ */ jsx48(Empty, { isFiltered: true, onClear: () => go("#/tasks") }) : /* @__PURE__ */ jsx48(First, {}) : /* @__PURE__ */ jsx48(
        Table,
        {
          label: t("tasks.title"),
          rows,
          columns: columnsOf(refine2, (row) => gone.has(row.id)),
          rowKey: (row) => String(row.id),
          href: (row) => `#/tasks/${row.id}`,
          ...isAdmin ? { selected } : {}
        }
      ),
      (isPaged || next) && /* @__PURE__ */ jsxs44("div", { class: "row pages", role: "navigation", "aria-label": t("tasks.pages"), onClick: () => scrollTo(0, 0), children: [
        isPaged && /* @__PURE__ */ jsxs44("a", { href: before.get(here) ?? link(filters, order), children: [
          "← ",
          before.has(here) ? t("tasks.previous") : t("tasks.first")
        ] }),
        next && /* @__PURE__ */ jsxs44("a", { href: next, onClick: () => before.set(next, listed.here), children: [
          t("tasks.next"),
          " →"
        ] })
      ] })
    ] })
  ] });
}
function Narrow({ filters, order }) {
  const has = (start2) => filters.some(([key]) => key.startsWith(start2));
  const begin2 = (key) => {
    draft.value = `${key}:`;
    document.querySelector("[data-filter]").focus();
  };
  return /* @__PURE__ */ jsxs44("p", { class: "row narrow", children: [
    t("tasks.narrow"),
    !has("created") && /* @__PURE__ */ jsx48("a", { href: link(withFilter(filters, "created_after", "24h"), order), children: "created_after: 24h" }),
    ["queue", "status", "tag"].filter((key) => !has(key)).map((key) => /* @__PURE__ */ jsxs44("button", { type: "button", class: "plain", onClick: () => begin2(key), children: [
      key,
      ": …"
    ] }, key))
  ] });
}

// src/pages/tasks/page.tsx
import { Fragment as Fragment25, jsx as jsx49, jsxs as jsxs45 } from "./vendor.js";
function Tasks({ rest }) {
  return /* @__PURE__ */ jsxs45(Fragment25, { children: [
    /* @__PURE__ */ jsx49(Jobs, {}),
    rest ? /* @__PURE__ */ jsx49(TaskPage, { id: rest }) : /* @__PURE__ */ jsx49(TaskList, {})
  ] });
}

// src/pages/workers/one.tsx
import { Fragment as Fragment26, jsx as jsx50, jsxs as jsxs46 } from "./vendor.js";
function OneWorker({ name }) {
  const worker = useResource(
    `worker ${name}`,
    async (signal6) => (await get("/admin/workers/{worker}", { path: { worker: name }, signal: signal6 })).document
  );
  return /* @__PURE__ */ jsx50(Loaded, { resource: worker, children: (found) => /* @__PURE__ */ jsxs46(Fragment26, { children: [
    /* @__PURE__ */ jsxs46("section", { class: "row", children: [
      /* @__PURE__ */ jsx50("strong", { class: "name", children: found.worker }),
      /* @__PURE__ */ jsx50(StateChip, { state: found.state }),
      /* @__PURE__ */ jsx50("a", { href: hash("/tasks", { worker: found.worker }), children: t("workers.all_tasks") }),
      /* @__PURE__ */ jsx50("a", { href: hash("/workers"), children: t("workers.all") })
    ] }),
    /* @__PURE__ */ jsx50("section", { children: /* @__PURE__ */ jsxs46("dl", { class: "facts", children: [
      /* @__PURE__ */ jsx50("dt", { children: t("queues.title") }),
      /* @__PURE__ */ jsx50("dd", { children: /* @__PURE__ */ jsx50(QueueLinks, { queues: found.queues }) }),
      /* @__PURE__ */ jsx50("dt", { children: t("workers.agent") }),
      /* @__PURE__ */ jsx50("dd", { children: found.agent ?? "–" }),
      /* @__PURE__ */ jsx50("dt", { children: t("workers.address") }),
      /* @__PURE__ */ jsx50("dd", { children: found.address ?? "–" }),
      /* @__PURE__ */ jsx50("dt", { children: t("workers.first_seen") }),
      /* @__PURE__ */ jsx50("dd", { children: /* @__PURE__ */ jsx50(Time, { at: found.first_seen_at }) }),
      /* @__PURE__ */ jsx50("dt", { children: t("workers.last_seen") }),
      /* @__PURE__ */ jsx50("dd", { children: /* @__PURE__ */ jsx50(Time, { at: found.last_seen_at }) })
    ] }) }),
    /* @__PURE__ */ jsxs46("section", { children: [
      /* @__PURE__ */ jsx50("h2", { children: t("workers.leases") }),
      found.leases.length ? /* @__PURE__ */ jsx50(
        Table,
        {
          label: t("workers.leases"),
          rows: found.leases,
          columns: columns2(),
          rowKey: (task) => String(task.task_id),
          href: (task) => hash(`/tasks/${task.task_id}`)
        }
      ) : /* @__PURE__ */ jsx50(Empty, { children: /* @__PURE__ */ jsx50("p", { children: t("workers.no_leases") }) }),
      found.running > found.leases.length && /* @__PURE__ */ jsx50("p", { class: "quiet", children: t("workers.more", { n: found.running - found.leases.length }) })
    ] })
  ] }) });
}
function columns2() {
  return [
    {
      key: "task",
      title: t("queues.task"),
      by: (task) => task.task_id,
      cell: (task) => /* @__PURE__ */ jsxs46("a", { class: "cut", href: hash(`/tasks/${task.task_id}`), children: [
        task.task_id,
        " ",
        task.title
      ] })
    },
    {
      key: "queue",
      title: t("queues.queue"),
      by: (task) => task.queue,
      cell: (task) => /* @__PURE__ */ jsx50("a", { href: queueHash(task.queue), children: task.queue })
    },
    { key: "attempt", title: t("workers.attempt"), by: (task) => task.attempt, cell: (task) => task.attempt, isNumber: true },
    {
      key: "started",
      title: t("workers.started"),
      by: (task) => task.started_at,
      cell: (task) => /* @__PURE__ */ jsx50(Time, { at: task.started_at })
    },
    {
      key: "deadline",
      title: t("workers.deadline"),
      by: (task) => task.deadline,
      cell: (task) => /* @__PURE__ */ jsx50(Time, { at: task.deadline })
    }
  ];
}

// src/pages/workers/page.tsx
import { Fragment as Fragment27, jsx as jsx51, jsxs as jsxs47 } from "./vendor.js";
var SILENT_SECONDS = 90;
function Workers({ rest }) {
  return /* @__PURE__ */ jsx51(Overseen, { children: rest ? /* @__PURE__ */ jsx51(OneWorker, { name: decoded2(rest) }) : /* @__PURE__ */ jsx51(AllWorkers, {}) });
}
function AllWorkers() {
  const { query } = location.value;
  const cursor = query.get("cursor");
  const isOfNow = query.has("now");
  const workers = useResource(
    `workers ${cursor} ${isOfNow}`,
    (signal6) => {
      const asked = {
        ...cursor && { cursor },
        ...isOfNow && { seen_within_seconds: SILENT_SECONDS }
      };
      return get("/admin/workers", { query: asked, signal: signal6 });
    },
    { keepsOld: true }
  );
  return /* @__PURE__ */ jsxs47(Fragment27, { children: [
    /* @__PURE__ */ jsxs47("label", { class: "row finder", children: [
      /* @__PURE__ */ jsx51(
        "input",
        {
          type: "checkbox",
          checked: isOfNow,
          onChange: () => refine({ now: isOfNow ? null : "1", cursor: null })
        }
      ),
      t("workers.only_now")
    ] }),
    /* @__PURE__ */ jsx51(Loaded, { resource: workers, children: ({ document: document2, next }) => /* @__PURE__ */ jsxs47("section", { children: [
      document2.length ? /* @__PURE__ */ jsx51(WorkerTable, { workers: document2 }) : /* @__PURE__ */ jsxs47(Empty, { isFiltered: isOfNow, onClear: () => refine({ now: null }), children: [
        /* @__PURE__ */ jsx51("p", { children: t("workers.none") }),
        /* @__PURE__ */ jsx51("pre", { tabIndex: 0, children: "rowlock worker --handlers module:worker" })
      ] }),
      /* @__PURE__ */ jsx51(Pager, { next })
    ] }) })
  ] });
}
function decoded2(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
export {
  Queues,
  Schedules,
  Submit,
  System,
  Tasks,
  Workers
};
