// src/main.tsx
import { render } from "./vendor.js";

// src/i18n/index.ts
import { effect as effect2, signal as signal2 } from "./vendor.js";

// src/state/preferences.ts
import { effect, signal } from "./vendor.js";
var LANGUAGES = { en: "English", zh: "简体中文" };
var THEMES = ["auto", "light", "dark"];
var INTERVALS = [2, 5, 15, 60, 0];
var language = kept("language", languageOfBrowser(), (x) => Object.hasOwn(LANGUAGES, String(x)));
var theme = kept("theme", "auto", (x) => THEMES.includes(x));
var interval = kept("interval", 5, (x) => INTERVALS.includes(x));
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});
function kept(name, usual, isFit) {
  const key = `rowlock.${name}`;
  let first = usual;
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? "null");
    if (stored !== null && isFit(stored)) first = stored;
  } catch {
  }
  const found = signal(first);
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(found.value));
    } catch {
    }
  });
  return found;
}
function languageOfBrowser() {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

// src/i18n/index.ts
var CATALOGUES = {
  en: async () => (await import("./en.js")).en,
  zh: async () => (await import("./zh.js")).zh
};
var LOCALES = { en: "en", zh: "zh-CN" };
var shown = signal2(null);
function loadTexts() {
  return new Promise((resolve, reject) => {
    effect2(() => {
      const chosen = language.value;
      CATALOGUES[chosen]().then((texts) => {
        if (chosen === language.peek()) shown.value = { language: chosen, texts };
        resolve();
      }, reject);
    });
  });
}
function t(key, values = {}) {
  return shown.value.texts[key].replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}
function number(value, digits = 0) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}
function percent(value) {
  const digits = value > 0 && value < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(value);
}
function span(seconds) {
  if (seconds < 1) return t("time.seconds", { n: number(seconds, 1) });
  if (seconds < 90) return t("time.seconds", { n: Math.round(seconds) });
  if (seconds < 90 * 60) return t("time.minutes", { n: Math.round(seconds / 60) });
  if (seconds < 36 * 3600) return t("time.hours", { n: number(seconds / 3600, 1) });
  return t("time.days", { n: number(seconds / 86400, 1) });
}
function distance(seconds) {
  if (Math.abs(seconds) < 1) return t("time.now");
  return t(seconds < 0 ? "time.ago" : "time.in", { span: span(Math.abs(seconds)) });
}
function localTime(at, options) {
  return new Intl.DateTimeFormat(locale(), { hourCycle: "h23", ...options }).format(at);
}
function compare(a, b) {
  return a.localeCompare(b, locale(), { numeric: true });
}
function locale() {
  return LOCALES[shown.value.language];
}

// src/shell/app.tsx
import { useEffect as useEffect5, useRef as useRef5 } from "./vendor.js";

// src/json/reader.ts
var JsonText = class {
  text;
  constructor(text) {
    this.text = text;
  }
  toString() {
    return this.text;
  }
};
var OWN = /* @__PURE__ */ new Set(["payload", "result", "progress"]);
function readDocument(text) {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}
var Reader = class {
  at = 0;
  text;
  constructor(text) {
    this.text = text;
  }
  value() {
    this.space();
    const first = this.text[this.at];
    if (first === "{") return this.object();
    if (first === "[") return this.array();
    const start = this.at;
    if (first === '"') this.skipString();
    else this.skipWord();
    return JSON.parse(this.text.slice(start, this.at));
  }
  end() {
    this.space();
    if (this.at < this.text.length) throw new SyntaxError(`Unexpected text at ${this.at}`);
  }
  object() {
    const found = {};
    this.at++;
    while (!this.closes("}")) {
      const start = this.at;
      this.skipString();
      const key = JSON.parse(this.text.slice(start, this.at));
      this.expect(":");
      const value = OWN.has(key) ? this.own() : this.value();
      if (key !== "__proto__") found[key] = value;
      this.comma("}");
    }
    return found;
  }
  array() {
    const found = [];
    this.at++;
    while (!this.closes("]")) {
      found.push(this.value());
      this.comma("]");
    }
    return found;
  }
  own() {
    this.space();
    const start = this.at;
    let depth = 0;
    do {
      this.space();
      const next = this.text[this.at];
      if (next === "{" || next === "[") depth++, this.at++;
      else if (next === "}" || next === "]") depth--, this.at++;
      else if (next === "," || next === ":") this.at++;
      else if (next === '"') this.skipString();
      else this.skipWord();
    } while (depth > 0);
    const text = this.text.slice(start, this.at);
    return text === "null" ? null : new JsonText(text);
  }
  skipString() {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw new SyntaxError("A text does not end");
    } while (this.isEscaped(end));
    this.at = end + 1;
  }
  isEscaped(at) {
    let before = at;
    while (this.text[before - 1] === "\\") before--;
    return (at - before) % 2 === 1;
  }
  skipWord() {
    const start = this.at;
    while (this.at < this.text.length && !/[\s,:\]}[{"]/.test(this.text[this.at])) this.at++;
    if (this.at === start) throw new SyntaxError(`A value is missing at ${start}`);
  }
  closes(sign) {
    this.space();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }
  comma(end) {
    this.space();
    if (this.text[this.at] === ",") this.at++;
    else if (this.text[this.at] !== end) throw new SyntaxError(`A comma is missing at ${this.at}`);
    this.space();
  }
  expect(sign) {
    this.space();
    if (this.text[this.at] !== sign) throw new SyntaxError(`${sign} is missing at ${this.at}`);
    this.at++;
  }
  space() {
    let code = this.text.charCodeAt(this.at);
    while (code === 32 || code === 10 || code === 13 || code === 9) {
      code = this.text.charCodeAt(++this.at);
    }
  }
};

// src/api/client.ts
var Problem = class extends Error {
  /** 0: there was no answer. */
  status;
  title;
  detail;
  requestId;
  retryAfterSeconds;
  /** The whole document. */
  facts;
  constructor(status, facts = {}, headers) {
    super(String(facts.detail ?? facts.title ?? ""));
    this.status = status;
    this.facts = facts;
    this.title = String(facts.title ?? "");
    this.detail = String(facts.detail ?? "");
    this.requestId = headers?.get("X-Request-Id") ?? null;
    const wait = Number(headers?.get("Retry-After"));
    this.retryAfterSeconds = wait > 0 ? wait : null;
  }
  get fields() {
    return this.facts.errors ?? [];
  }
};
var token = null;
var onRefusal = () => void 0;
function useToken(given) {
  token = given === null ? null : String.fromCharCode(...new TextEncoder().encode(given));
}
function whenRefused(call2) {
  onRefusal = call2;
}
async function call(verb, path, request = {}) {
  const address = String(path).replace(
    /\{(\w+)\}/g,
    (_, name) => encodeURIComponent(String(request.path[name]))
  );
  return send(
    verb.toUpperCase(),
    address + queryText(request.query),
    request
  );
}
function get(path, request = {}) {
  return call("get", path, request);
}
function queryText(query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === void 0) continue;
    for (const each of Array.isArray(value) ? value : [value]) found.append(name, String(each));
  }
  return found.size ? `?${found}` : "";
}
async function send(method, address, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  const request = { method, headers, signal: options.signal ?? null };
  if (options.body !== void 0) {
    headers["Content-Type"] = "application/json";
    request.body = typeof options.body === "string" ? options.body : JSON.stringify(options.body);
  }
  let answer;
  let text;
  try {
    answer = await fetch(urlOf(address), request);
    text = await answer.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0);
  }
  if (!answer.ok) {
    const problem = problemOf(answer, text);
    if (answer.status === 401) onRefusal(problem);
    throw problem;
  }
  const document2 = text === "" ? null : readDocument(text);
  return { document: document2, headers: answer.headers, next: nextOf(answer.headers, address) };
}
function urlOf(address) {
  return new URL(`../${address.replace(/^\//, "")}`, document.baseURI.split(/[?#]/)[0]).href;
}
function problemOf(answer, text) {
  let facts = {};
  try {
    facts = readDocument(text);
  } catch {
  }
  return new Problem(answer.status, { title: answer.statusText, ...facts }, answer.headers);
}
function nextOf(headers, address) {
  const link = /<([^>]*)>;\s*rel="?next"?/.exec(headers.get("Link") ?? "")?.[1];
  if (link === void 0) return null;
  const url = new URL(link, `http://rowlock.invalid/${address.replace(/^\//, "")}`);
  return url.pathname + url.search;
}

// src/api/history.ts
async function history2(query, signal11) {
  try {
    return (await send("GET", `/stats/history${queryText(query)}`, { signal: signal11 })).document;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 405)) return null;
    throw error;
  }
}

// src/state/clock.ts
import { signal as signal3 } from "./vendor.js";
var aheadMs = 0;
var now = signal3(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now() + aheadMs;
}, 1e3);
function setClock(time, began, ended) {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return;
  aheadMs = at - (began + ended) / 2;
  now.value = Date.now() + aheadMs;
}

// src/parts/copy_button.tsx
import { useState } from "./vendor.js";

// src/shell/live_region.tsx
import { signal as signal4 } from "./vendor.js";
import { jsx } from "./vendor.js";
var said = signal4("");
function announce(text) {
  said.value = text;
}
function LiveRegion() {
  return /* @__PURE__ */ jsx("div", { class: "unseen", role: "status", "aria-live": "polite", children: said });
}

// src/parts/copy_button.tsx
import { jsx as jsx2 } from "./vendor.js";
function CopyButton({ text, label }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    announce(t("action.copied"));
    setTimeout(() => setDone(false), 2e3);
  };
  return /* @__PURE__ */ jsx2("button", { type: "button", class: "plain", onClick: () => void copy(), children: isDone ? t("action.copied") : label ?? t("action.copy") });
}

// src/parts/states.tsx
import { Fragment, jsx as jsx3, jsxs } from "./vendor.js";
function Loaded({ resource, children }) {
  const { data, at, problem, isLoading } = resource.state.value;
  const isOld = data !== null && (problem !== null || isLoading && at === null);
  return /* @__PURE__ */ jsxs(Fragment, { children: [
    problem && /* @__PURE__ */ jsx3(ProblemNote, { problem, dataAt: data === null ? null : at, onRetry: resource.refresh }),
    data === null ? !problem && /* @__PURE__ */ jsx3(Placeholder, {}) : /* @__PURE__ */ jsx3("div", { class: isOld ? "dimmed" : void 0, "aria-busy": isLoading, children: children(data) })
  ] });
}
function Placeholder() {
  return /* @__PURE__ */ jsxs("div", { class: "placeholder", "aria-busy": "true", children: [
    /* @__PURE__ */ jsx3("span", {}),
    " ",
    /* @__PURE__ */ jsx3("span", {}),
    " ",
    /* @__PURE__ */ jsx3("span", {})
  ] });
}
function ProblemNote({ problem, dataAt = null, onRetry }) {
  void now.value;
  return /* @__PURE__ */ jsxs("div", { class: "note bad", role: "alert", children: [
    /* @__PURE__ */ jsx3("p", { children: problemText(problem) }),
    dataAt !== null && /* @__PURE__ */ jsx3("p", { children: t("problem.shown_from", { age: distance((dataAt - Date.now()) / 1e3) }) }),
    /* @__PURE__ */ jsxs("p", { class: "row", children: [
      onRetry && /* @__PURE__ */ jsx3("button", { type: "button", onClick: () => void onRetry(), children: t("action.retry") }),
      problem.requestId && /* @__PURE__ */ jsxs("span", { class: "quiet", children: [
        t("problem.request_id", { id: problem.requestId }),
        " ",
        /* @__PURE__ */ jsx3(CopyButton, { text: problem.requestId })
      ] })
    ] })
  ] });
}
function problemText(problem) {
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
function Empty({ isFiltered = false, onClear, children }) {
  return /* @__PURE__ */ jsxs("div", { class: "empty", children: [
    isFiltered ? /* @__PURE__ */ jsx3("p", { children: t("table.filtered") }) : children ?? /* @__PURE__ */ jsx3("p", { children: t("table.empty") }),
    isFiltered && onClear && /* @__PURE__ */ jsx3("button", { type: "button", onClick: onClear, children: t("action.clear_filters") })
  ] });
}

// src/state/polling.ts
import { effect as effect3, signal as signal5 } from "./vendor.js";
import { useEffect, useRef } from "./vendor.js";
var CALLS_A_MINUTE = 20;
var TOUCHED_FOR_MS = 6e4;
var sources = /* @__PURE__ */ new Map();
var holds = signal5(0);
var touchedAt = performance.now();
var timer;
var pause = signal5(null);
function hold() {
  holds.value++;
  let isHeld = true;
  return () => {
    if (isHeld) holds.value--;
    isHeld = false;
  };
}
function useHold(isHeld) {
  useEffect(() => isHeld ? hold() : void 0, [isHeld]);
}
function useResource(key, load, { everySeconds = 0, keepsOld = false } = {}) {
  const last = useRef(null);
  const old = keepsOld ? last.current?.state.peek().data ?? null : null;
  const source = sourceOf(key, everySeconds, old);
  last.current = source;
  source.load = load;
  useEffect(() => {
    source.users++;
    sources.set(key, source);
    if (source.dueAt <= performance.now() && !document.hidden) void ask(source);
    plan();
    return () => {
      source.users--;
      if (source.users > 0) return;
      source.under?.abort();
      if (sources.get(key) === source) sources.delete(key);
      plan();
    };
  }, [source]);
  return { state: source.state, refresh: () => ask(source) };
}
async function refreshAll() {
  await Promise.all([...sources.values()].map(ask));
}
function sourceOf(key, everySeconds, old) {
  const known = sources.get(key);
  if (known) return known;
  const source = {
    load: () => Promise.resolve(null),
    state: signal5({ data: old, at: null, problem: null, isLoading: true }),
    users: 0,
    everyMs: everySeconds * 1e3,
    dueAt: 0,
    under: null
  };
  sources.set(key, source);
  return source;
}
async function ask(source) {
  source.under?.abort();
  const under = new AbortController();
  source.under = under;
  source.dueAt = Infinity;
  source.state.value = { ...source.state.peek(), isLoading: true };
  let wait = 0;
  try {
    const data = await source.load(under.signal);
    if (under.signal.aborted) return;
    source.state.value = { data, at: Date.now(), problem: null, isLoading: false };
  } catch (error) {
    if (under.signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    wait = (error.retryAfterSeconds ?? 0) * 1e3;
    source.state.value = { ...source.state.peek(), problem: error, isLoading: false };
  }
  source.under = null;
  source.dueAt = performance.now() + Math.max(source.everyMs, periodMs(), wait);
  plan();
}
function periodMs() {
  const chosen = interval.peek() * 1e3;
  if (performance.now() - touchedAt < TOUCHED_FOR_MS) return chosen;
  let left = CALLS_A_MINUTE;
  let follow = 0;
  for (const source of sources.values()) {
    if (source.everyMs > chosen) left -= 6e4 / source.everyMs;
    else follow++;
  }
  return Math.max(chosen, 6e4 * follow / Math.max(left, 1));
}
function plan() {
  clearTimeout(timer);
  if (document.hidden || pause.peek() !== null) return;
  const shown2 = [...sources.values()].filter((source) => source.users > 0);
  const nextAt = Math.min(...shown2.map((source) => source.dueAt));
  if (nextAt === Infinity) return;
  timer = setTimeout(run, Math.max(nextAt - performance.now(), 50));
}
function run() {
  const at = performance.now();
  for (const source of sources.values()) {
    if (source.users > 0 && source.dueAt <= at + 300) void ask(source);
  }
  plan();
}
effect3(() => {
  pause.value = interval.value === 0 ? "off" : holds.value > 0 ? "held" : null;
});
effect3(() => {
  const chosen = interval.value * 1e3;
  if (pause.value !== null) return clearTimeout(timer);
  const latest = performance.now() + chosen;
  for (const source of sources.values()) {
    if (source.everyMs === 0 && source.dueAt !== Infinity) source.dueAt = Math.min(source.dueAt, latest);
  }
  plan();
});
document.addEventListener("visibilitychange", plan);
for (const touch of ["pointermove", "pointerdown", "keydown", "wheel"]) {
  addEventListener(touch, () => touchedAt = performance.now(), { passive: true, capture: true });
}

// src/parts/time.tsx
import { jsx as jsx4 } from "./vendor.js";
var FULL = { dateStyle: "medium", timeStyle: "medium" };
function Time({ at, as = "distance" }) {
  if (!at) return /* @__PURE__ */ jsx4("span", { class: "quiet", children: "–" });
  const moment2 = new Date(at);
  const local = localTime(moment2, FULL);
  const shown2 = as === "moment" ? local : distance((moment2.getTime() - now.value) / 1e3);
  const utc = `${moment2.toISOString().replace("T", " ").replace("Z", "")} UTC`;
  return /* @__PURE__ */ jsx4("time", { dateTime: at, title: as === "moment" ? utc : `${local}
${utc}`, children: shown2 });
}
function Span({ seconds }) {
  if (seconds === null || seconds === void 0) return /* @__PURE__ */ jsx4("span", { class: "quiet", children: "–" });
  return /* @__PURE__ */ jsx4("span", { title: `${seconds} s`, children: span(seconds) });
}

// src/state/location.ts
import { signal as signal6 } from "./vendor.js";
var location = signal6(read());
addEventListener("hashchange", () => {
  location.value = read();
});
function hash(path, query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null) continue;
    for (const each of Array.isArray(value) ? value : [value]) found.append(name, each);
  }
  return `#${path}${found.size ? `?${found}` : ""}`;
}
function go(to) {
  window.location.hash = to;
}
function refine(changes) {
  const { path, query } = location.value;
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    changed.delete(name);
    if (value === null) continue;
    for (const each of Array.isArray(value) ? value : [value]) changed.append(name, each);
  }
  history.replaceState(null, "", `#${path}${changed.size ? `?${changed}` : ""}`);
  location.value = { path, query: changed };
}
function read() {
  const [path = "", query = ""] = window.location.hash.slice(1).split(/\?(.*)/s);
  return { path: path || "/", query: new URLSearchParams(query) };
}

// src/pages/overview/figures.ts
var LONG_WAIT_SECONDS = 300;
var UNUSUAL = 3;
var FAILING_SHARE = 0.1;
var FAILING_ATTEMPTS = 5;
function findings(queues, readiness, history3) {
  const found = [];
  const parts = readiness?.parts;
  if (parts && parts.scheduler !== "ok" && parts.scheduler !== "unknown") {
    found.push({ kind: "no scheduler", detail: parts.scheduler ?? "" });
  }
  if (parts?.redis?.startsWith("degraded")) found.push({ kind: "redis", detail: parts.redis });
  const usual = Math.max(0, ...(history3?.buckets ?? []).map((bucket) => bucket.wait_p95 ?? 0));
  const long = Math.max(LONG_WAIT_SECONDS, usual * UNUSUAL);
  const failing = queues.filter((queue) => queue.recent_failed_attempts >= FAILING_ATTEMPTS).filter((queue) => (queue.failure_rate ?? 0) >= FAILING_SHARE).sort((a, b) => b.recent_failed_attempts - a.recent_failed_attempts);
  for (const queue of failing) found.push({ kind: "failing", queue, share: queue.failure_rate });
  const late = queues.filter((queue) => !queue.paused && (queue.oldest_waiting_seconds ?? 0) > long).sort((a, b) => b.oldest_waiting_seconds - a.oldest_waiting_seconds);
  for (const queue of late) {
    found.push({ kind: "oldest", queue, seconds: queue.oldest_waiting_seconds });
  }
  for (const queue of queues.filter((each) => each.paused && each.waiting > 0)) {
    found.push({ kind: "paused", queue });
  }
  return found;
}
function count(queue, status) {
  return Object.values(queue.tasks[status] ?? {}).reduce((sum2, each) => sum2 + each, 0);
}
function sum(queues, of) {
  return queues.reduce((total, queue) => total + of(queue), 0);
}
function failureRate(queues) {
  const failed = sum(queues, (queue) => queue.recent_failed_attempts);
  const all = failed + sum(queues, (queue) => queue.recent_done);
  return all ? failed / all : null;
}

// src/pages/overview/attention.tsx
import { jsx as jsx5, jsxs as jsxs2 } from "./vendor.js";
function Attention({ found, queues }) {
  if (found.length === 0) {
    return /* @__PURE__ */ jsx5("section", { class: "well", children: /* @__PURE__ */ jsxs2("p", { children: [
      /* @__PURE__ */ jsx5("strong", { children: t("overview.all_well") }),
      " ",
      t("overview.all_well_about", {
        queues: queues.length,
        waiting: sum(queues, (queue) => queue.waiting),
        running: sum(queues, (queue) => queue.in_progress)
      })
    ] }) });
  }
  return /* @__PURE__ */ jsxs2("section", { children: [
    /* @__PURE__ */ jsx5("h2", { children: t("overview.attention") }),
    /* @__PURE__ */ jsx5("ul", { class: "findings", children: found.map((finding) => /* @__PURE__ */ jsx5("li", { children: /* @__PURE__ */ jsx5(One, { finding }) }, `${finding.kind} ${"queue" in finding ? finding.queue.queue : ""}`)) })
  ] });
}
function One({ finding }) {
  switch (finding.kind) {
    case "no scheduler":
      return /* @__PURE__ */ jsxs2(Line, { title: t("overview.no_scheduler"), tone: "bad", children: [
        t("overview.no_scheduler_about"),
        " ",
        /* @__PURE__ */ jsx5("code", { children: finding.detail })
      ] });
    case "redis":
      return /* @__PURE__ */ jsx5(Line, { title: t("overview.redis"), tone: "warn", children: t("overview.redis_about", { detail: finding.detail }) });
    case "failing": {
      const { queue, share } = finding;
      return /* @__PURE__ */ jsx5(
        Line,
        {
          title: t("overview.failing", { queue: queue.queue, percent: percent(share) }),
          tone: "bad",
          href: hash("/tasks", { queue: queue.queue, status: ["retrying", "failed"] }),
          children: t("overview.failing_about", {
            failed: queue.recent_failed_attempts,
            minutes: queue.recent_minutes
          })
        }
      );
    }
    case "oldest": {
      const { queue, seconds } = finding;
      return /* @__PURE__ */ jsx5(
        Line,
        {
          title: t("overview.oldest", { queue: queue.queue, span: span(seconds) }),
          tone: "warn",
          href: hash("/tasks", { queue: queue.queue, status: ["to_do", "retrying"], order: "asc" }),
          children: t("overview.oldest_about", { waiting: queue.waiting, running: queue.in_progress })
        }
      );
    }
    case "paused": {
      const { queue } = finding;
      return /* @__PURE__ */ jsxs2(
        Line,
        {
          title: t("overview.paused", { queue: queue.queue }),
          tone: "off",
          href: hash(`/queues/${encodeURIComponent(queue.queue)}`),
          children: [
            t("overview.paused_about", { waiting: number(queue.waiting) }),
            " ",
            /* @__PURE__ */ jsx5(Time, { at: queue.paused_at })
          ]
        }
      );
    }
  }
}
function Line({ title, tone, href, children }) {
  return /* @__PURE__ */ jsxs2("div", { class: `finding ${tone}`, children: [
    /* @__PURE__ */ jsx5("strong", { children: href ? /* @__PURE__ */ jsx5("a", { href, children: title }) : title }),
    /* @__PURE__ */ jsx5("span", { children })
  ] });
}

// src/parts/bar.tsx
import { jsx as jsx6 } from "./vendor.js";
function Bar({ share, label, tone = "info" }) {
  const percent2 = Math.round(Math.min(Math.max(share, 0), 1) * 1e3) / 10;
  return /* @__PURE__ */ jsx6("span", { class: `bar ${tone}`, role: "img", "aria-label": label, children: /* @__PURE__ */ jsx6("span", { style: { width: `${percent2}%` } }) });
}

// src/parts/chip.tsx
import { jsx as jsx7 } from "./vendor.js";
function Chip({ tone = "neutral", children }) {
  return /* @__PURE__ */ jsx7("span", { class: `chip ${tone}`, children });
}

// src/parts/table.tsx
import { useEffect as useEffect2, useRef as useRef2 } from "./vendor.js";
import { jsx as jsx8, jsxs as jsxs3 } from "./vendor.js";
function Table({ label, rows, columns, rowKey, href, selected }) {
  const body = useRef2(null);
  const anchor = useRef2(null);
  const sort = location.value.query.get("sort") ?? "";
  const shown2 = sorted(rows, columns, sort);
  useHold(selected !== void 0 && selected.value.size > 0);
  useEffect2(() => {
    const all = [...body.current.rows];
    if (!all.some((row2) => row2.tabIndex === 0) && all[0]) all[0].tabIndex = 0;
  });
  const choose = (index, isOn, isRange) => {
    const changed = new Set(selected.value);
    const from = isRange && anchor.current !== null ? anchor.current : index;
    for (let at = Math.min(from, index); at <= Math.max(from, index); at++) {
      const key = rowKey(shown2[at]);
      if (isOn) changed.add(key);
      else changed.delete(key);
    }
    anchor.current = index;
    selected.value = changed;
  };
  const chooseAll = (isOn) => {
    const changed = new Set(selected.value);
    for (const row2 of shown2) isOn ? changed.add(rowKey(row2)) : changed.delete(rowKey(row2));
    selected.value = changed;
  };
  const isAll = shown2.length > 0 && shown2.every((row2) => selected?.value.has(rowKey(row2)));
  return /* @__PURE__ */ jsx8("div", { class: "table", role: "region", "aria-label": label, tabIndex: 0, children: /* @__PURE__ */ jsxs3("table", { children: [
    /* @__PURE__ */ jsx8("thead", { children: /* @__PURE__ */ jsxs3("tr", { children: [
      selected && /* @__PURE__ */ jsx8("th", { class: "choice", children: /* @__PURE__ */ jsx8(
        "input",
        {
          type: "checkbox",
          "aria-label": t("table.select_all"),
          checked: isAll,
          onChange: (event) => chooseAll(event.currentTarget.checked)
        }
      ) }),
      columns.map((column) => /* @__PURE__ */ jsx8(Head, { column, sort }, column.key))
    ] }) }),
    /* @__PURE__ */ jsx8("tbody", { ref: body, children: shown2.map((row2, index) => {
      const key = rowKey(row2);
      const isOn = selected?.value.has(key) ?? false;
      return /* @__PURE__ */ jsxs3(
        "tr",
        {
          "data-row": key,
          "data-href": href?.(row2),
          tabIndex: -1,
          class: isOn ? "chosen" : void 0,
          children: [
            selected && /* @__PURE__ */ jsx8("td", { class: "choice", children: /* @__PURE__ */ jsx8(
              "input",
              {
                type: "checkbox",
                "aria-label": t("table.select", { name: key }),
                checked: isOn,
                onClick: (event) => choose(index, event.currentTarget.checked, event.shiftKey)
              }
            ) }),
            columns.map((column) => /* @__PURE__ */ jsx8("td", { class: classOf(column), children: column.cell(row2) }, column.key))
          ]
        },
        key
      );
    }) })
  ] }) });
}
function Head({ column, sort }) {
  const isDown = sort === `-${column.key}`;
  const isUp = sort === column.key;
  const next = isDown ? column.key : isUp ? null : `-${column.key}`;
  return /* @__PURE__ */ jsx8(
    "th",
    {
      class: classOf(column),
      scope: "col",
      "aria-sort": isDown ? "descending" : isUp ? "ascending" : void 0,
      children: column.by ? /* @__PURE__ */ jsx8(
        "button",
        {
          type: "button",
          title: t("table.sort", { column: column.title }),
          onClick: () => refine({ sort: next }),
          children: column.title
        }
      ) : column.title
    }
  );
}
function classOf(column) {
  const names = [column.isNumber && "number", column.isMinor && "minor"].filter(Boolean);
  return names.length ? names.join(" ") : void 0;
}
function sorted(rows, columns, sort) {
  const isDown = sort.startsWith("-");
  const by = columns.find((column) => column.key === sort.replace("-", ""))?.by;
  if (!by) return rows;
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    const order = typeof a === "string" ? compare(a, String(b)) : a - Number(b);
    return isDown ? -order : order;
  });
}

// src/pages/overview/queues.tsx
import { Fragment as Fragment2, jsx as jsx9, jsxs as jsxs4 } from "./vendor.js";
function Queues({ queues }) {
  const columns = [
    {
      key: "queue",
      title: t("overview.queue"),
      by: (queue) => queue.queue,
      cell: (queue) => /* @__PURE__ */ jsxs4(Fragment2, { children: [
        /* @__PURE__ */ jsx9("a", { href: hash("/tasks", { queue: queue.queue }), children: queue.queue }),
        " ",
        queue.paused && /* @__PURE__ */ jsx9(Chip, { tone: "off", children: t("status.paused") })
      ] })
    },
    {
      key: "oldest",
      title: t("overview.oldest_waiting"),
      by: (queue) => queue.oldest_waiting_seconds,
      cell: (queue) => /* @__PURE__ */ jsx9(Span, { seconds: queue.oldest_waiting_seconds }),
      isNumber: true
    },
    counted("waiting", t("overview.waiting"), ["to_do", "retrying"], (queue) => queue.waiting),
    counted("running", t("overview.running"), ["in_progress"], (queue) => queue.in_progress),
    counted("retrying", t("overview.retrying"), ["retrying"], (queue) => count(queue, "retrying")),
    counted("failed", t("overview.failed"), ["failed"], (queue) => count(queue, "failed")),
    {
      key: "rate",
      title: t("overview.done_rate"),
      by: (queue) => queue.done_per_minute,
      cell: (queue) => number(queue.done_per_minute, 1),
      isNumber: true
    },
    {
      key: "failing",
      title: t("overview.failure_rate"),
      by: (queue) => queue.failure_rate,
      cell: (queue) => /* @__PURE__ */ jsx9(Failing, { share: queue.failure_rate }),
      isNumber: true,
      isMinor: true
    }
  ];
  const rows = [...queues].sort(
    (a, b) => (b.oldest_waiting_seconds ?? -1) - (a.oldest_waiting_seconds ?? -1)
  );
  return /* @__PURE__ */ jsxs4("section", { children: [
    /* @__PURE__ */ jsx9("h2", { children: t("overview.queues") }),
    /* @__PURE__ */ jsx9(
      Table,
      {
        label: t("overview.queues"),
        rows,
        columns,
        rowKey: (queue) => queue.queue,
        href: (queue) => hash("/tasks", { queue: queue.queue })
      }
    )
  ] });
}
function counted(key, title, status, of) {
  return {
    key,
    title,
    by: of,
    cell: (queue) => of(queue) ? /* @__PURE__ */ jsx9("a", { href: hash("/tasks", { queue: queue.queue, status }), children: number(of(queue)) }) : /* @__PURE__ */ jsx9("span", { class: "quiet", children: "0" }),
    isNumber: true
  };
}
function Failing({ share }) {
  if (share === null) return /* @__PURE__ */ jsx9("span", { class: "quiet", children: "–" });
  return /* @__PURE__ */ jsxs4(Fragment2, { children: [
    share > 0 && /* @__PURE__ */ jsx9(Bar, { share, tone: "bad", label: percent(share) }),
    " ",
    percent(share)
  ] });
}

// src/parts/chart.tsx
import { useEffect as useEffect3, useRef as useRef3 } from "./vendor.js";

// src/state/dark.ts
import { computed, signal as signal7 } from "./vendor.js";
var media = matchMedia("(prefers-color-scheme: dark)");
var ofSystem = signal7(media.matches);
media.addEventListener("change", () => ofSystem.value = media.matches);
var isDark = computed(
  () => theme.value === "auto" ? ofSystem.value : theme.value === "dark"
);

// src/parts/chart.tsx
import { jsx as jsx10, jsxs as jsxs5 } from "./vendor.js";
function Chart({ label, times, series, height = 180 }) {
  const place = useRef3(null);
  const chart = useRef3(null);
  const data = [times, ...series.map((one) => one.values)];
  const shape = [language.value, isDark.value, height, ...series.map((s) => s.label + s.colour)].join();
  const latest = useRef3(data);
  latest.current = data;
  useEffect3(() => {
    const element = place.current;
    let isGone = false;
    const watch = new ResizeObserver(() => {
      chart.current?.setSize({ width: element.clientWidth, height });
    });
    const draw = ({ default: UPlot }) => {
      if (isGone) return;
      chart.current = new UPlot(optionsOf(element, height, times, series), latest.current, element);
      watch.observe(element);
    };
    void import("./uplot.js").then(draw, () => void 0);
    return () => {
      isGone = true;
      watch.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape]);
  useEffect3(() => chart.current?.setData(data), [times, series]);
  return /* @__PURE__ */ jsxs5("figure", { class: "chart", "aria-label": label, children: [
    /* @__PURE__ */ jsx10("div", { ref: place, style: { minHeight: `${height}px` }, "aria-hidden": "true" }),
    /* @__PURE__ */ jsx10(Values, { times, series })
  ] });
}
function optionsOf(element, height, times, series) {
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colourOf("quiet", element), ticks: { show: false }, font };
  const grid = { stroke: colourOf("line", element), width: 1 };
  return {
    width: element.clientWidth,
    height,
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, at) => at.map((s) => moment(s, times)) },
      { ...axis, grid, size: 44, values: (_, at) => at.map((value) => number(value, 2)) }
    ],
    series: [
      { label: t("chart.time"), value: (_, at) => at === null ? "" : moment(at, times) },
      ...series.map((one) => ({
        label: one.label,
        stroke: colourOf(one.colour, element),
        width: 1.75,
        points: { show: false },
        value: (_, value) => value === null ? "–" : number(value, 2)
      }))
    ]
  };
}
function Values({ times, series }) {
  return /* @__PURE__ */ jsxs5("table", { class: "unseen", children: [
    /* @__PURE__ */ jsx10("caption", { children: t("chart.values") }),
    /* @__PURE__ */ jsx10("tbody", { children: series.map((one) => /* @__PURE__ */ jsxs5("tr", { children: [
      /* @__PURE__ */ jsx10("th", { scope: "row", children: one.label }),
      one.values.slice(-12).map((value, index) => /* @__PURE__ */ jsx10("td", { children: value === null ? "–" : number(value, 2) }, times[times.length - 12 + index]))
    ] }, one.label)) })
  ] });
}
function colourOf(name, near) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  near.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
function moment(seconds, times) {
  const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > 86400;
  return localTime(new Date(seconds * 1e3), {
    ...isLong ? { month: "short", day: "numeric" } : {},
    hour: "2-digit",
    minute: "2-digit"
  });
}

// src/pages/overview/throughput.tsx
import { jsx as jsx11, jsxs as jsxs6 } from "./vendor.js";
function Throughput({ history: history3 }) {
  const buckets = history3.buckets.filter((bucket) => bucket.is_complete);
  if (buckets.length < 2) return null;
  const perMinute = 60 / history3.bucket_seconds;
  const values = (of) => buckets.map((bucket) => bucket[of] * perMinute);
  return /* @__PURE__ */ jsxs6("section", { children: [
    /* @__PURE__ */ jsxs6("h2", { children: [
      t("overview.throughput"),
      " ",
      /* @__PURE__ */ jsx11("small", { children: t("overview.throughput_about") })
    ] }),
    /* @__PURE__ */ jsx11(
      Chart,
      {
        label: t("overview.throughput"),
        times: buckets.map((bucket) => Date.parse(bucket.begins_at) / 1e3),
        series: [
          { label: t("overview.submitted"), values: values("submitted"), colour: "info" },
          { label: t("overview.done"), values: values("done"), colour: "good" },
          { label: t("overview.failed"), values: values("failed"), colour: "bad" }
        ]
      }
    )
  ] });
}

// src/pages/overview/totals.tsx
import { jsx as jsx12, jsxs as jsxs7 } from "./vendor.js";
function Totals({ queues }) {
  const failing = failureRate(queues);
  const waiting = sum(queues, (queue) => queue.waiting);
  const retrying = sum(queues, (queue) => count(queue, "retrying"));
  const running = sum(queues, (queue) => queue.in_progress);
  const failed = sum(queues, (queue) => count(queue, "failed"));
  return /* @__PURE__ */ jsxs7("section", { children: [
    /* @__PURE__ */ jsx12("h2", { children: t("overview.totals") }),
    /* @__PURE__ */ jsxs7("dl", { class: "totals", children: [
      /* @__PURE__ */ jsx12(Total, { name: t("overview.waiting"), href: hash("/tasks", { status: ["to_do", "retrying"] }), children: number(waiting) }),
      /* @__PURE__ */ jsx12(Total, { name: t("overview.running"), href: hash("/tasks", { status: "in_progress" }), children: number(running) }),
      /* @__PURE__ */ jsx12(Total, { name: t("overview.retrying"), href: hash("/tasks", { status: "retrying" }), children: number(retrying) }),
      /* @__PURE__ */ jsx12(Total, { name: t("overview.failed"), href: hash("/tasks", { status: "failed" }), children: number(failed) }),
      /* @__PURE__ */ jsx12(Total, { name: t("overview.done_rate"), children: number(sum(queues, (queue) => queue.done_per_minute), 1) }),
      /* @__PURE__ */ jsx12(Total, { name: t("overview.failure_rate"), children: failing === null ? "–" : percent(failing) })
    ] })
  ] });
}
function Total({ name, href, children }) {
  return /* @__PURE__ */ jsxs7("div", { children: [
    /* @__PURE__ */ jsx12("dt", { children: name }),
    /* @__PURE__ */ jsx12("dd", { children: href ? /* @__PURE__ */ jsx12("a", { href, children }) : children })
  ] });
}

// src/pages/overview/page.tsx
import { Fragment as Fragment3, jsx as jsx13, jsxs as jsxs8 } from "./vendor.js";
var MOST_QUEUES = 1e3;
function Overview() {
  const stats = useResource(
    "stats",
    (signal11) => get("/stats", { query: { limit: MOST_QUEUES }, signal: signal11 })
  );
  const readiness = useResource("readiness", readinessOf, { everySeconds: 15 });
  const hour = useResource("history", (signal11) => history2({ minutes: 60 }, signal11), {
    everySeconds: 60
  });
  return /* @__PURE__ */ jsx13(Loaded, { resource: stats, children: ({ document: document2, next }) => {
    const { queues } = document2;
    if (queues.length === 0) return /* @__PURE__ */ jsx13(First, {});
    const past = hour.state.value.data;
    return /* @__PURE__ */ jsxs8(Fragment3, { children: [
      /* @__PURE__ */ jsx13(
        Attention,
        {
          found: findings(queues, readiness.state.value.data, past),
          queues
        }
      ),
      /* @__PURE__ */ jsx13(Totals, { queues }),
      past && /* @__PURE__ */ jsx13(Throughput, { history: past }),
      /* @__PURE__ */ jsx13(Queues, { queues }),
      next !== null && /* @__PURE__ */ jsx13("p", { class: "quiet", children: t("overview.more_queues", { n: MOST_QUEUES }) })
    ] });
  } });
}
function First() {
  const command = `curl -s ${urlOf("/tasks")} -H 'Content-Type: application/json' -d '{"title": "Say hello"}'`;
  return /* @__PURE__ */ jsxs8(Empty, { children: [
    /* @__PURE__ */ jsx13("p", { children: t("overview.none") }),
    /* @__PURE__ */ jsx13("pre", { tabIndex: 0, children: command })
  ] });
}
async function readinessOf(signal11) {
  try {
    return (await get("/readyz", { signal: signal11 })).document;
  } catch (error) {
    if (error instanceof Problem && "parts" in error.facts) return error.facts;
    throw error;
  }
}

// src/pages/index.ts
var PAGES = [
  { path: "/", letter: "o", title: "overview.title", component: Overview }
];
function pageAt(path) {
  const [, first = "", rest = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const page = PAGES.find((each) => each.path === `/${first}`);
  return page ? { page, rest } : null;
}

// src/state/session.ts
import { computed as computed2, signal as signal8 } from "./vendor.js";
var KEY = "rowlock.token";
var CLOCK_EVERY_MS = 6e5;
var session = signal8({ state: "asking" });
var hasToken = signal8(false);
var me = computed2(() => session.value.state === "open" ? session.value.me : null);
async function resume() {
  const stored = storedToken();
  take(stored);
  await ask2(stored !== null);
}
async function signIn(token2, keeps) {
  take(token2);
  await ask2(true);
  if (session.value.state === "open" && keeps) store(token2);
}
function signOut(problem = null) {
  store(null);
  take(null);
  session.value = { state: "signed out", problem };
}
whenRefused((problem) => {
  if (session.value.state === "open") signOut(problem);
});
setInterval(() => {
  if (!document.hidden && session.value.state === "open") void askMe().catch(() => void 0);
}, CLOCK_EVERY_MS);
async function ask2(isWithToken) {
  session.value = { state: "asking" };
  try {
    session.value = { state: "open", me: await askMe() };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) signOut(isWithToken ? error : null);
    else session.value = { state: "failed", problem: error };
  }
}
async function askMe() {
  const began = Date.now();
  try {
    const { document: document2 } = await send("GET", "/me");
    if (document2.time) setClock(document2.time, began, Date.now());
    return document2;
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) throw error;
    await get("/stats");
    return null;
  }
}
function take(token2) {
  useToken(token2);
  hasToken.value = token2 !== null;
}
function storedToken() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
function store(token2) {
  try {
    if (token2 === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token2);
  } catch {
  }
}

// src/shell/head.tsx
import { useState as useState2 } from "./vendor.js";

// src/shell/keys.ts
import { signal as signal9 } from "./vendor.js";
var showsHelp = signal9(false);
var GO_WITHIN_MS = 1500;
var wentAt = -Infinity;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const isGoing = event.timeStamp - wentAt < GO_WITHIN_MS;
  wentAt = -Infinity;
  if (isGoing) {
    const page = PAGES.find((each) => each.letter === event.key);
    if (page) return taken(event, () => go(page.path));
  }
  const action = ACTIONS[event.key];
  if (action) taken(event, action);
});
var ACTIONS = {
  g: () => wentAt = performance.now(),
  r: () => void refreshAll(),
  "?": () => showsHelp.value = true,
  "/": () => document.querySelector("[data-filter]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  x: () => row()?.querySelector("input[type=checkbox]")?.click(),
  Enter: open
};
function taken(event, action) {
  if (event.key === "Enter" && document.activeElement !== row()) return;
  event.preventDefault();
  action();
}
function row() {
  return document.activeElement?.closest("tr[data-row]") ?? null;
}
function move(by) {
  const rows = [...document.querySelectorAll("main tr[data-row]")];
  const at = rows.indexOf(row());
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  if (!next) return;
  for (const each of rows) each.tabIndex = each === next ? 0 : -1;
  next.focus();
}
function open() {
  const to = row()?.dataset.href;
  if (to) go(to);
}
function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(textarea|select)$/i.test(target.tagName) || target instanceof HTMLInputElement && target.type !== "checkbox");
}

// src/shell/head.tsx
import { jsx as jsx14, jsxs as jsxs9 } from "./vendor.js";
function Head2() {
  const page = pageAt(location.value.path)?.page;
  return /* @__PURE__ */ jsxs9("header", { children: [
    /* @__PURE__ */ jsx14("h1", { children: page ? t(page.title) : t("app.name") }),
    /* @__PURE__ */ jsx14(Refresh, {}),
    /* @__PURE__ */ jsx14("button", { type: "button", class: "icon", "aria-label": t("app.help"), title: t("app.help"), onClick: () => showsHelp.value = true, children: "?" }),
    hasToken.value && /* @__PURE__ */ jsx14("button", { type: "button", onClick: () => signOut(), children: t("app.sign_out") })
  ] });
}
function Refresh() {
  const [isBusy, setBusy] = useState2(false);
  const refresh = async () => {
    setBusy(true);
    await refreshAll().finally(() => setBusy(false));
  };
  return /* @__PURE__ */ jsxs9("span", { class: "refresh", children: [
    pause.value === "held" && /* @__PURE__ */ jsx14("span", { class: "quiet", children: t("app.refresh_held") }),
    /* @__PURE__ */ jsx14("button", { type: "button", class: "icon", "aria-label": t("app.refresh"), title: t("app.refresh"), disabled: isBusy, onClick: () => void refresh(), children: "↻" }),
    /* @__PURE__ */ jsx14(
      "select",
      {
        "aria-label": t("app.refresh"),
        value: interval.value,
        onChange: (event) => interval.value = Number(event.currentTarget.value),
        children: INTERVALS.map((seconds) => /* @__PURE__ */ jsx14("option", { value: seconds, children: seconds ? t("app.refresh_every", { seconds }) : t("app.refresh_off") }, seconds))
      }
    )
  ] });
}

// src/parts/dialog.tsx
import { useEffect as useEffect4, useId, useRef as useRef4 } from "./vendor.js";
import { jsx as jsx15, jsxs as jsxs10 } from "./vendor.js";
function Dialog({ title, onClose, children, actions, closeLabel }) {
  const element = useRef4(null);
  const id = useId();
  useHold(true);
  useEffect4(() => {
    element.current.showModal();
  }, []);
  return /* @__PURE__ */ jsx15("dialog", { ref: element, "aria-labelledby": id, onClose, children: /* @__PURE__ */ jsxs10("form", { method: "dialog", children: [
    /* @__PURE__ */ jsx15("h2", { id, children: title }),
    /* @__PURE__ */ jsx15("div", { class: "content", children }),
    /* @__PURE__ */ jsxs10("div", { class: "buttons", children: [
      /* @__PURE__ */ jsx15("button", { type: "submit", children: closeLabel ?? t("action.close") }),
      actions
    ] })
  ] }) });
}

// src/shell/help.tsx
import { jsx as jsx16, jsxs as jsxs11 } from "./vendor.js";
function Help() {
  if (!showsHelp.value) return null;
  const keys = [
    ...PAGES.map((page) => [
      `g ${page.letter}`,
      t("keys.go", { page: t(page.title) })
    ]),
    ["j", t("keys.next")],
    ["k", t("keys.previous")],
    ["x", t("keys.select")],
    ["Enter", t("keys.open")],
    ["/", t("keys.filter")],
    ["r", t("keys.refresh")],
    ["?", t("keys.help")]
  ];
  return /* @__PURE__ */ jsx16(Dialog, { title: t("keys.title"), onClose: () => showsHelp.value = false, children: /* @__PURE__ */ jsx16("dl", { class: "keys", children: keys.map(([key, meaning]) => /* @__PURE__ */ jsxs11("div", { children: [
    /* @__PURE__ */ jsx16("dt", { children: key.split(" ").map((each) => /* @__PURE__ */ jsx16("kbd", { children: each }, each)) }),
    /* @__PURE__ */ jsx16("dd", { children: meaning })
  ] }, key)) }) });
}

// src/shell/looks.tsx
import { jsx as jsx17, jsxs as jsxs12 } from "./vendor.js";
function Looks() {
  return /* @__PURE__ */ jsxs12("div", { class: "looks", children: [
    /* @__PURE__ */ jsx17(
      "select",
      {
        "aria-label": t("app.language"),
        value: language.value,
        onChange: (event) => language.value = event.currentTarget.value,
        children: Object.entries(LANGUAGES).map(([code, name]) => /* @__PURE__ */ jsx17("option", { value: code, lang: code, children: name }, code))
      }
    ),
    /* @__PURE__ */ jsx17(
      "select",
      {
        "aria-label": t("app.theme"),
        value: theme.value,
        onChange: (event) => theme.value = event.currentTarget.value,
        children: THEMES.map((name) => /* @__PURE__ */ jsx17("option", { value: name, children: t(`theme.${name}`) }, name))
      }
    )
  ] });
}

// src/shell/navigation.tsx
import { jsx as jsx18, jsxs as jsxs13 } from "./vendor.js";
function Navigation() {
  const here = pageAt(location.value.path)?.page;
  return /* @__PURE__ */ jsxs13("nav", { "aria-label": t("app.menu"), children: [
    /* @__PURE__ */ jsxs13("a", { class: "brand", href: "#/", children: [
      /* @__PURE__ */ jsx18("img", { src: "icon.svg", alt: "", width: "22", height: "22" }),
      t("app.name")
    ] }),
    /* @__PURE__ */ jsx18("ul", { children: PAGES.map((page) => /* @__PURE__ */ jsx18("li", { children: /* @__PURE__ */ jsx18("a", { href: hash(page.path), "aria-current": page === here ? "page" : void 0, children: t(page.title) }) }, page.path)) }),
    /* @__PURE__ */ jsx18(Looks, {}),
    me.value && /* @__PURE__ */ jsx18("p", { class: "version", children: t("app.version", { version: me.value.version }) })
  ] });
}

// src/shell/sign_in.tsx
import { useState as useState3 } from "./vendor.js";
import { jsx as jsx19, jsxs as jsxs14 } from "./vendor.js";
function SignIn({ problem }) {
  const [token2, setToken] = useState3("");
  const [keeps, setKeeps] = useState3(false);
  const submit = (event) => {
    event.preventDefault();
    if (token2.trim()) void signIn(token2.trim(), keeps);
  };
  return /* @__PURE__ */ jsx19("main", { class: "alone", children: /* @__PURE__ */ jsxs14("form", { class: "card", onSubmit: submit, children: [
    /* @__PURE__ */ jsxs14("h1", { children: [
      /* @__PURE__ */ jsx19("img", { src: "icon.svg", alt: "", width: "26", height: "26" }),
      " ",
      t("app.name")
    ] }),
    /* @__PURE__ */ jsxs14("label", { children: [
      t("sign_in.token"),
      /* @__PURE__ */ jsx19(
        "input",
        {
          type: "password",
          autoComplete: "off",
          autofocus: true,
          value: token2,
          "aria-describedby": "sign-in-about",
          onInput: (event) => setToken(event.currentTarget.value)
        }
      )
    ] }),
    /* @__PURE__ */ jsx19("p", { id: "sign-in-about", class: "quiet", children: t("sign_in.about") }),
    /* @__PURE__ */ jsxs14("label", { class: "choice", children: [
      /* @__PURE__ */ jsx19(
        "input",
        {
          type: "checkbox",
          checked: keeps,
          onChange: (event) => setKeeps(event.currentTarget.checked)
        }
      ),
      t("sign_in.keep")
    ] }),
    problem && /* @__PURE__ */ jsx19("p", { class: "note bad", role: "alert", children: problemText(problem) }),
    /* @__PURE__ */ jsx19("button", { type: "submit", class: "main", children: t("sign_in.submit") }),
    /* @__PURE__ */ jsx19(Looks, {})
  ] }) });
}

// src/shell/toasts.tsx
import { signal as signal10 } from "./vendor.js";
import { jsx as jsx20, jsxs as jsxs15 } from "./vendor.js";
var toasts = signal10([]);
function Toasts() {
  return /* @__PURE__ */ jsx20("div", { class: "toasts", children: toasts.value.map((toast) => /* @__PURE__ */ jsxs15("div", { class: toast.isBad ? "toast bad" : "toast", children: [
    /* @__PURE__ */ jsx20("span", { children: toast.text }),
    toast.actions.map((action) => /* @__PURE__ */ jsx20("button", { type: "button", class: "plain", onClick: action.run, children: action.label }, action.label))
  ] }, toast.id)) });
}

// src/shell/app.tsx
import { Fragment as Fragment4, jsx as jsx21, jsxs as jsxs16 } from "./vendor.js";
function App() {
  return /* @__PURE__ */ jsxs16(Fragment4, { children: [
    /* @__PURE__ */ jsx21(Inside, {}),
    /* @__PURE__ */ jsx21(Toasts, {}),
    /* @__PURE__ */ jsx21(LiveRegion, {}),
    /* @__PURE__ */ jsx21(Help, {})
  ] });
}
function Inside() {
  const found = session.value;
  switch (found.state) {
    case "asking":
      return /* @__PURE__ */ jsx21("main", { class: "alone", "aria-busy": "true", children: t("sign_in.connecting") });
    case "signed out":
      return /* @__PURE__ */ jsx21(SignIn, { problem: found.problem });
    case "failed":
      return /* @__PURE__ */ jsx21("main", { class: "alone", children: /* @__PURE__ */ jsx21(ProblemNote, { problem: found.problem, onRetry: resume }) });
    case "open":
      return /* @__PURE__ */ jsxs16("div", { class: "shell", children: [
        /* @__PURE__ */ jsx21("a", { class: "skip", href: "#main", onClick: skip, children: t("app.skip") }),
        /* @__PURE__ */ jsx21(Navigation, {}),
        /* @__PURE__ */ jsxs16("div", { class: "beside", children: [
          /* @__PURE__ */ jsx21(Head2, {}),
          /* @__PURE__ */ jsx21(Content, {})
        ] })
      ] });
  }
}
function Content() {
  const main = useRef5(null);
  const { path } = location.value;
  const found = pageAt(path);
  const title = found ? t(found.page.title) : t("app.name");
  const isFirst = useRef5(true);
  useEffect5(() => {
    document.title = found ? `${title} – ${t("app.name")}` : title;
  }, [title]);
  useEffect5(() => {
    if (!isFirst.current) main.current.focus({ preventScroll: true });
    isFirst.current = false;
    window.scrollTo(0, 0);
  }, [path]);
  return /* @__PURE__ */ jsx21("main", { id: "main", ref: main, tabIndex: -1, children: found ? /* @__PURE__ */ jsx21(found.page.component, { rest: found.rest }, path) : /* @__PURE__ */ jsx21(Empty, { children: /* @__PURE__ */ jsx21("p", { children: t("app.not_found") }) }) });
}
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

// src/main.tsx
import { jsx as jsx22 } from "./vendor.js";
void resume();
await loadTexts();
render(/* @__PURE__ */ jsx22(App, {}), document.getElementById("app"));
