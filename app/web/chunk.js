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
function bytes(value) {
  const [size, unit] = value < 1024 ? [value, "B"] : value < 1024 ** 2 ? [value / 1024, "KiB"] : [value / 1024 ** 2, "MiB"];
  return `${number(size, unit === "B" ? 0 : 1)} ${unit}`;
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

// src/state/session.ts
import { computed, signal as signal4 } from "./vendor.js";

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
  return { document: document2, status: answer.status, headers: answer.headers, next: nextOf(answer.headers, address) };
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

// src/state/session.ts
var KEY = "rowlock.token";
var CLOCK_EVERY_MS = 6e5;
var session = signal4({ state: "asking" });
var hasToken = signal4(false);
var me = computed(() => session.value.state === "open" ? session.value.me : null);
function opens(door) {
  return me.value?.doors.includes(door) ?? false;
}
function oversees() {
  return opens("admin") || opens("viewer");
}
async function resume() {
  const stored = storedToken();
  take(stored);
  await ask(stored !== null);
}
async function signIn(token2, keeps) {
  take(token2);
  await ask(true);
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
async function ask(isWithToken) {
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
  const { document: document2 } = await get("/me");
  if (document2.time) setClock(document2.time, began, Date.now());
  return document2;
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

// src/shell/live_region.tsx
import { signal as signal5 } from "./vendor.js";
import { jsx } from "./vendor.js";
var said = signal5("");
function announce(text) {
  said.value = text;
}
function LiveRegion() {
  return /* @__PURE__ */ jsx("div", { class: "unseen", role: "status", "aria-live": "polite", children: said });
}

// src/parts/copy_button.tsx
import { useEffect, useRef, useState } from "./vendor.js";
import { Fragment, jsx as jsx2, jsxs } from "./vendor.js";
function CopyButton({ text, label }) {
  const [isDone, setDone] = useState(false);
  const [isShown, setShown] = useState(false);
  const shown2 = useRef(null);
  useEffect(() => {
    shown2.current?.focus();
    shown2.current?.select();
  }, [isShown]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return setShown(true);
    }
    setDone(true);
    announce(t("action.copied"));
    setTimeout(() => setDone(false), 2e3);
  };
  const name = label ?? t("action.copy");
  return /* @__PURE__ */ jsxs(Fragment, { children: [
    /* @__PURE__ */ jsx2("button", { type: "button", class: "plain", onClick: () => void copy(), children: isDone ? t("action.copied") : name }),
    isShown && /* @__PURE__ */ jsx2("input", { readOnly: true, ref: shown2, value: text, "aria-label": name, onBlur: () => setShown(false) })
  ] });
}

// src/parts/states.tsx
import { Fragment as Fragment2, jsx as jsx3, jsxs as jsxs2 } from "./vendor.js";
function Loaded({ resource, children }) {
  const { data, at, problem, isLoading } = resource.state.value;
  const isOld = data !== null && (problem !== null || isLoading && at === null);
  return /* @__PURE__ */ jsxs2(Fragment2, { children: [
    problem && /* @__PURE__ */ jsx3(ProblemNote, { problem, dataAt: data === null ? null : at, onRetry: resource.refresh }),
    data === null ? !problem && /* @__PURE__ */ jsx3(Placeholder, {}) : /* @__PURE__ */ jsx3("div", { class: isOld ? "dimmed" : void 0, "aria-busy": isLoading, children: children(data) })
  ] });
}
function Placeholder() {
  return /* @__PURE__ */ jsxs2("div", { class: "placeholder", "aria-busy": "true", children: [
    /* @__PURE__ */ jsx3("span", {}),
    " ",
    /* @__PURE__ */ jsx3("span", {}),
    " ",
    /* @__PURE__ */ jsx3("span", {})
  ] });
}
function ProblemNote({ problem, dataAt = null, onRetry }) {
  void now.value;
  return /* @__PURE__ */ jsxs2("div", { class: "note bad", role: "alert", children: [
    /* @__PURE__ */ jsx3("p", { children: problemText(problem) }),
    dataAt !== null && /* @__PURE__ */ jsx3("p", { children: t("problem.shown_from", { age: distance((dataAt - Date.now()) / 1e3) }) }),
    /* @__PURE__ */ jsxs2("p", { class: "row", children: [
      onRetry && /* @__PURE__ */ jsx3("button", { type: "button", onClick: () => void onRetry(), children: t("action.retry") }),
      problem.requestId && /* @__PURE__ */ jsxs2("span", { class: "quiet", children: [
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
  return /* @__PURE__ */ jsxs2("div", { class: "empty", children: [
    isFiltered ? /* @__PURE__ */ jsx3("p", { children: t("table.filtered") }) : children ?? /* @__PURE__ */ jsx3("p", { children: t("table.empty") }),
    isFiltered && onClear && /* @__PURE__ */ jsx3("button", { type: "button", onClick: onClear, children: t("action.clear_filters") })
  ] });
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

// src/state/polling.ts
import { effect as effect3, signal as signal7 } from "./vendor.js";
import { useEffect as useEffect2, useRef as useRef2 } from "./vendor.js";
var CALLS_A_MINUTE = 20;
var TOUCHED_FOR_MS = 6e4;
var sources = /* @__PURE__ */ new Map();
var holds = signal7(0);
var touchedAt = performance.now();
var timer;
var pause = signal7(null);
function hold() {
  holds.value++;
  let isHeld = true;
  return () => {
    if (isHeld) holds.value--;
    isHeld = false;
  };
}
function useHold(isHeld) {
  useEffect2(() => isHeld ? hold() : void 0, [isHeld]);
}
function useResource(key, load, { everySeconds = 0, keepsOld = false, waits = false } = {}) {
  const last = useRef2(null);
  const old = keepsOld ? last.current?.state.peek().data ?? null : null;
  const source = sourceOf(key, everySeconds, old);
  last.current = source;
  source.load = load;
  useEffect2(() => {
    source.users++;
    source.waits = waits;
    sources.set(key, source);
    if (!waits && source.dueAt <= performance.now() && !document.hidden) void ask2(source);
    plan();
    return () => {
      source.users--;
      if (source.users > 0) return;
      source.under?.abort();
      if (sources.get(key) === source) sources.delete(key);
      plan();
    };
  }, [source, waits]);
  return { state: source.state, refresh: () => ask2(source) };
}
var refreshes = signal7(0);
async function refreshAll() {
  refreshes.value++;
  await Promise.all([...sources.values()].filter(({ waits }) => !waits).map(ask2));
}
function sourceOf(key, everySeconds, old) {
  const known = sources.get(key);
  if (known) return known;
  const source = {
    load: () => Promise.resolve(null),
    state: signal7({ data: old, at: null, problem: null, isLoading: true }),
    users: 0,
    waits: false,
    everyMs: everySeconds * 1e3,
    dueAt: 0,
    under: null
  };
  sources.set(key, source);
  return source;
}
async function ask2(source) {
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
  const shown2 = [...sources.values()].filter(({ users, waits }) => users > 0 && !waits);
  const nextAt = Math.min(...shown2.map((source) => source.dueAt));
  if (nextAt === Infinity) return;
  timer = setTimeout(run, Math.max(nextAt - performance.now(), 50));
}
function run() {
  const at = performance.now();
  for (const source of sources.values()) {
    if (source.users > 0 && !source.waits && source.dueAt <= at + 300) void ask2(source);
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

// src/parts/table.tsx
import { useEffect as useEffect3, useRef as useRef3 } from "./vendor.js";
import { jsx as jsx4, jsxs as jsxs3 } from "./vendor.js";
function Table({ label, rows, columns: columns2, rowKey, href, isFaded, selected }) {
  const body = useRef3(null);
  const anchor = useRef3(null);
  const sort = location.value.query.get("sort") ?? "";
  const shown2 = sorted(rows, columns2, sort);
  useHold(selected !== void 0 && selected.value.size > 0);
  useEffect3(() => {
    const all = [...body.current.rows];
    if (!all.some((row) => row.tabIndex === 0) && all[0]) all[0].tabIndex = 0;
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
    for (const row of shown2) isOn ? changed.add(rowKey(row)) : changed.delete(rowKey(row));
    selected.value = changed;
  };
  const isAll = shown2.length > 0 && shown2.every((row) => selected?.value.has(rowKey(row)));
  return /* @__PURE__ */ jsx4("div", { class: "table", role: "region", "aria-label": label, tabIndex: 0, children: /* @__PURE__ */ jsxs3("table", { children: [
    /* @__PURE__ */ jsx4("thead", { children: /* @__PURE__ */ jsxs3("tr", { children: [
      selected && /* @__PURE__ */ jsx4("th", { class: "choice", children: /* @__PURE__ */ jsx4(
        "input",
        {
          type: "checkbox",
          "aria-label": t("table.select_all"),
          checked: isAll,
          onChange: (event) => chooseAll(event.currentTarget.checked)
        }
      ) }),
      columns2.map((column) => /* @__PURE__ */ jsx4(Head, { column, sort }, column.key))
    ] }) }),
    /* @__PURE__ */ jsx4("tbody", { ref: body, children: shown2.map((row, index) => {
      const key = rowKey(row);
      const isOn = selected?.value.has(key) ?? false;
      return /* @__PURE__ */ jsxs3(
        "tr",
        {
          "data-row": key,
          "data-href": href?.(row),
          tabIndex: -1,
          class: isOn ? "chosen" : isFaded?.(row) ? "faded" : void 0,
          children: [
            selected && /* @__PURE__ */ jsx4("td", { class: "choice", children: /* @__PURE__ */ jsx4(
              "input",
              {
                type: "checkbox",
                "aria-label": t("table.select", { name: key }),
                checked: isOn,
                onClick: (event) => choose(index, event.currentTarget.checked, event.shiftKey)
              }
            ) }),
            columns2.map((column) => /* @__PURE__ */ jsx4("td", { class: classOf(column), children: column.cell(row) }, column.key))
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
  return /* @__PURE__ */ jsx4(
    "th",
    {
      class: classOf(column),
      scope: "col",
      "aria-sort": isDown ? "descending" : isUp ? "ascending" : void 0,
      children: column.by ? /* @__PURE__ */ jsx4(
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
function sorted(rows, columns2, sort) {
  const isDown = sort.startsWith("-");
  const by = columns2.find((column) => column.key === sort.replace("-", ""))?.by;
  if (!by) return rows;
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)];
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    const order = typeof a === "string" ? compare(a, String(b)) : a - Number(b);
    return isDown ? -order : order;
  });
}

// src/parts/time.tsx
import { jsx as jsx5 } from "./vendor.js";
var FULL = { dateStyle: "medium", timeStyle: "medium" };
function Time({ at, as = "distance" }) {
  if (!at) return /* @__PURE__ */ jsx5("span", { class: "quiet", children: "–" });
  const moment2 = new Date(at);
  const local = localTime(moment2, FULL);
  const shown2 = as === "moment" ? local : distance((moment2.getTime() - now.value) / 1e3);
  const utc = `${moment2.toISOString().replace("T", " ").replace("Z", "")} UTC`;
  return /* @__PURE__ */ jsx5("time", { dateTime: at, title: as === "moment" ? utc : `${local}
${utc}`, children: shown2 });
}
function Span({ seconds }) {
  if (seconds === null || seconds === void 0) return /* @__PURE__ */ jsx5("span", { class: "quiet", children: "–" });
  return /* @__PURE__ */ jsx5("span", { title: `${seconds} s`, children: span(seconds) });
}

// src/parts/bar.tsx
import { jsx as jsx6 } from "./vendor.js";
function Bar({ share, label, tone = "info" }) {
  const percent2 = Math.round(Math.min(Math.max(share, 0), 1) * 1e3) / 10;
  return /* @__PURE__ */ jsx6("span", { class: `bar ${tone}`, role: "img", "aria-label": label, children: /* @__PURE__ */ jsx6("span", { style: { width: `${percent2}%` } }) });
}

// src/parts/chip.tsx
import { jsx as jsx7 } from "./vendor.js";
var TONES = {
  to_do: "neutral",
  in_progress: "info",
  retrying: "warn",
  paused: "off",
  done: "good",
  failed: "bad",
  cancelled: "off"
};
function Chip({ tone = "neutral", children }) {
  return /* @__PURE__ */ jsx7("span", { class: `chip ${tone}`, children });
}
function StatusChip({ status }) {
  return /* @__PURE__ */ jsx7(Chip, { tone: TONES[status], children: t(`status.${status}`) });
}
function priorityText(priority) {
  return t(`priority.${priority}`);
}

// src/pages/overview/figures.ts
var LONG_WAIT_SECONDS = 300;
var UNUSUAL = 3;
var FAILING_SHARE = 0.1;
var FAILING_ATTEMPTS = 5;
var UNSERVED_SECONDS = 60;
var SILENT_NEWS_SECONDS = 900;
var STOPPED_SECONDS = 180;
var FORGOTTEN_SECONDS = 86400;
function findings(known) {
  const { queues, history: history2, readiness, workers } = known;
  const found = [];
  for (const examined of known.examined) {
    if (examined.verdict === "bad" && examined.what !== "Redis") {
      found.push({ kind: "examined", examined });
    }
  }
  const parts = readiness?.parts;
  const isSwept = parts?.scheduler === "ok";
  if (parts && !isSwept && parts.scheduler !== "unknown") {
    found.push({ kind: "no scheduler", detail: parts.scheduler ?? "" });
  }
  for (const sweep of isSwept ? known.sweeps : []) {
    const age = ageOf(sweep.last_run_at);
    if (age > STOPPED_SECONDS && age < FORGOTTEN_SECONDS) found.push({ kind: "stopped", sweep });
  }
  if (parts?.redis?.startsWith("degraded")) found.push({ kind: "redis", detail: parts.redis });
  const late = queues.filter((queue) => !queue.paused && queue.oldest_waiting_seconds !== null).sort((a, b) => b.oldest_waiting_seconds - a.oldest_waiting_seconds);
  const unserved = late.filter(
    (queue) => queue.oldest_waiting_seconds > UNSERVED_SECONDS && isUnserved(queue.queue, workers)
  );
  for (const queue of unserved) found.push({ kind: "unserved", queue });
  const failing = queues.filter((queue) => queue.recent_failed_attempts >= FAILING_ATTEMPTS).filter((queue) => (queue.failure_rate ?? 0) >= FAILING_SHARE).sort((a, b) => b.recent_failed_attempts - a.recent_failed_attempts);
  for (const queue of failing) found.push({ kind: "failing", queue, share: queue.failure_rate });
  const usual = Math.max(0, ...(history2?.buckets ?? []).map((bucket) => bucket.wait_p95 ?? 0));
  const long = Math.max(LONG_WAIT_SECONDS, usual * UNUSUAL);
  for (const queue of late) {
    const seconds = queue.oldest_waiting_seconds;
    if (seconds > long && !unserved.includes(queue)) found.push({ kind: "oldest", queue, seconds });
  }
  const silent = (workers ?? []).filter(
    (worker) => worker.state === "silent" && ageOf(worker.last_seen_at) < SILENT_NEWS_SECONDS
  );
  if (silent.length) found.push({ kind: "silent", workers: silent });
  for (const queue of queues.filter((each) => each.paused && each.waiting > 0)) {
    found.push({ kind: "paused", queue });
  }
  return found;
}
function isUnserved(queue, workers) {
  if (workers === null) return false;
  return !workers.some(
    ({ state, queues }) => state !== "silent" && (queues.length === 0 || queues.includes(queue))
  );
}
function ageOf(at) {
  return (now.value - Date.parse(at)) / 1e3;
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

// src/pages/queues/columns.tsx
import { Fragment as Fragment3, jsx as jsx8, jsxs as jsxs4 } from "./vendor.js";
var queueHash = (queue) => hash(`/queues/${queue}`);
function columns() {
  return [
    {
      key: "queue",
      title: t("queues.queue"),
      by: (queue) => queue.queue,
      cell: (queue) => /* @__PURE__ */ jsxs4(Fragment3, { children: [
        /* @__PURE__ */ jsx8("a", { href: queueHash(queue.queue), children: queue.queue }),
        " ",
        queue.paused && /* @__PURE__ */ jsx8(Chip, { tone: "off", children: t("status.paused") })
      ] })
    },
    counted("waiting", t("queues.waiting"), ["to_do", "retrying"], (queue) => queue.waiting),
    {
      key: "oldest",
      title: t("queues.oldest"),
      by: (queue) => queue.oldest_waiting_seconds,
      cell: (queue) => /* @__PURE__ */ jsx8(Span, { seconds: queue.oldest_waiting_seconds }),
      isNumber: true
    },
    counted("running", t("status.in_progress"), ["in_progress"], (queue) => queue.in_progress),
    counted("retrying", t("status.retrying"), ["retrying"], (queue) => count(queue, "retrying")),
    counted("failed", t("status.failed"), ["failed"], (queue) => count(queue, "failed")),
    {
      key: "rate",
      title: t("queues.rate"),
      by: (queue) => queue.done_per_minute,
      cell: (queue) => number(queue.done_per_minute, 1),
      isNumber: true
    },
    {
      key: "failing",
      title: t("queues.failing"),
      by: (queue) => queue.failure_rate,
      cell: (queue) => /* @__PURE__ */ jsx8(Failing, { share: queue.failure_rate }),
      isNumber: true,
      isMinor: true
    }
  ];
}
function counted(key, title, status, of) {
  return {
    key,
    title,
    by: of,
    cell: (queue) => of(queue) ? /* @__PURE__ */ jsx8("a", { href: hash("/tasks", { queue: queue.queue, status }), children: number(of(queue)) }) : /* @__PURE__ */ jsx8("span", { class: "quiet", children: "0" }),
    isNumber: true
  };
}
function Failing({ share }) {
  if (share === null) return /* @__PURE__ */ jsx8("span", { class: "quiet", children: "–" });
  return /* @__PURE__ */ jsxs4(Fragment3, { children: [
    share > 0 && /* @__PURE__ */ jsx8(Bar, { share, tone: "bad", label: percent(share) }),
    " ",
    percent(share)
  ] });
}

// src/parts/overseen.tsx
import { Fragment as Fragment4, jsx as jsx9 } from "./vendor.js";
function useOverseen(key, load, everySeconds) {
  const may = oversees();
  return useResource(key, may ? load : () => Promise.resolve(null), {
    everySeconds: may ? everySeconds : Infinity
  });
}
function Overseen({ children }) {
  return oversees() ? /* @__PURE__ */ jsx9(Fragment4, { children }) : /* @__PURE__ */ jsx9("p", { class: "note off", children: t("problem.needs_door", { door: "viewer" }) });
}

// src/shell/toasts.tsx
import { signal as signal8 } from "./vendor.js";
import { jsx as jsx10, jsxs as jsxs5 } from "./vendor.js";
var SECONDS = 8;
var toasts = signal8([]);
var lastId = 0;
function tell(text, options = {}) {
  const { isBad = false, undo } = options;
  show(text, isBad, undo ? [{ label: t("action.undo"), run: undo }] : [], () => void 0);
}
function tellProblem(error) {
  if (!(error instanceof Problem)) throw error;
  tell(problemText(error), { isBad: true });
}
function doLater(text, run2, undone) {
  let isDecided = false;
  const decide = (isToRun) => {
    if (isDecided) return;
    isDecided = true;
    removeEventListener("pagehide", now2);
    if (isToRun) run2();
    else undone?.();
  };
  const now2 = () => decide(true);
  addEventListener("pagehide", now2);
  show(
    text,
    false,
    [
      { label: t("action.undo"), run: () => decide(false) },
      { label: t("action.now"), run: now2 }
    ],
    now2
  );
}
function show(text, isBad, actions, atEnd) {
  const id = ++lastId;
  const remove = () => {
    clearTimeout(timer2);
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  };
  const timer2 = setTimeout(() => (remove(), atEnd()), SECONDS * 1e3);
  const closing = actions.map(({ label, run: run2 }) => ({ label, run: () => (remove(), run2()) }));
  const close = { label: t("action.close"), run: remove };
  toasts.value = [...toasts.value, { id, text, isBad, actions: actions.length ? closing : [close] }];
  announce(text);
}
function Toasts() {
  return /* @__PURE__ */ jsx10("aside", { class: "toasts", "aria-label": t("app.notices"), children: toasts.value.map((toast) => /* @__PURE__ */ jsxs5("div", { class: toast.isBad ? "toast bad" : "toast", children: [
    /* @__PURE__ */ jsx10("span", { children: toast.text }),
    toast.actions.map((action) => /* @__PURE__ */ jsx10("button", { type: "button", class: "plain", onClick: action.run, children: action.label }, action.label))
  ] }, toast.id)) });
}

// src/parts/dialog.tsx
import { useEffect as useEffect4, useId, useRef as useRef4 } from "./vendor.js";
import { jsx as jsx11, jsxs as jsxs6 } from "./vendor.js";
function Dialog({ title, onClose, children, actions, closeLabel }) {
  const element = useRef4(null);
  const id = useId();
  useHold(true);
  useEffect4(() => {
    element.current.showModal();
  }, []);
  return /* @__PURE__ */ jsx11("dialog", { ref: element, "aria-labelledby": id, onClose, children: /* @__PURE__ */ jsxs6("form", { method: "dialog", children: [
    /* @__PURE__ */ jsx11("h2", { id, children: title }),
    /* @__PURE__ */ jsx11("div", { class: "content", children }),
    /* @__PURE__ */ jsxs6("div", { class: "buttons", children: [
      /* @__PURE__ */ jsx11("button", { type: "submit", children: closeLabel ?? t("action.close") }),
      actions
    ] })
  ] }) });
}
function ConfirmDialog(question) {
  const { title, children, confirm, isDangerous, isDisabled, onConfirm, onClose } = question;
  const act = () => {
    onConfirm();
    onClose();
  };
  return /* @__PURE__ */ jsx11(
    Dialog,
    {
      title,
      onClose,
      closeLabel: t("action.cancel"),
      actions: /* @__PURE__ */ jsx11(
        "button",
        {
          type: "button",
          class: isDangerous ? "danger" : "main",
          disabled: isDisabled,
          onClick: act,
          children: confirm
        }
      ),
      children
    }
  );
}

// src/parts/check.tsx
import { jsx as jsx12 } from "./vendor.js";
var CHECKS = [
  "connection",
  "version",
  "isolation",
  "innodb_flush_log_at_trx_commit",
  "sync_binlog",
  "clock",
  "schema",
  "claim",
  "scheduler",
  "SKIP LOCKED",
  "lock waits",
  "oldest transaction",
  "Redis",
  "Redis user",
  "Redis keys",
  "Redis eviction"
];
function checkText(what) {
  const known = CHECKS.find((each) => each === what);
  return known ? t(`check.${known}`) : what;
}
function CheckName({ what }) {
  return checkText(what) === what ? null : /* @__PURE__ */ jsx12("code", { children: what });
}

// src/pages/overview/attention.tsx
import { jsx as jsx13, jsxs as jsxs7 } from "./vendor.js";
var DURABILITY = ["innodb_flush_log_at_trx_commit", "sync_binlog"];
var NAMED = 5;
function Attention(props) {
  const { found, queues, isKnown } = props;
  if (found.length === 0 && isKnown) {
    return /* @__PURE__ */ jsx13("section", { class: "well", children: /* @__PURE__ */ jsxs7("p", { children: [
      /* @__PURE__ */ jsx13("strong", { children: t("overview.all_well") }),
      " ",
      t("overview.all_well_about", {
        queues: queues.length,
        waiting: sum(queues, (queue) => queue.waiting),
        running: sum(queues, (queue) => queue.in_progress)
      })
    ] }) });
  }
  return /* @__PURE__ */ jsxs7("section", { children: [
    /* @__PURE__ */ jsx13("h2", { children: t("overview.attention") }),
    /* @__PURE__ */ jsx13("ul", { class: "findings", children: found.map((finding) => /* @__PURE__ */ jsx13("li", { children: /* @__PURE__ */ jsx13(One, { finding }) }, keyOf(finding))) }),
    !isKnown && /* @__PURE__ */ jsx13("div", { class: "placeholder", "aria-busy": "true", children: /* @__PURE__ */ jsx13("span", {}) })
  ] });
}
function keyOf(finding) {
  if ("queue" in finding) return `${finding.kind} ${finding.queue.queue}`;
  if (finding.kind === "examined") return finding.examined.what;
  return finding.kind === "stopped" ? finding.sweep.sweep : finding.kind;
}
function One({ finding }) {
  switch (finding.kind) {
    case "examined": {
      const { what, detail, fix } = finding.examined;
      const title = DURABILITY.includes(what) ? t("overview.not_durable") : checkText(what);
      return /* @__PURE__ */ jsxs7(Line, { title, tone: "bad", href: hash("/system"), children: [
        /* @__PURE__ */ jsxs7("span", { lang: "en", children: [
          what,
          " ",
          detail
        ] }),
        " ",
        fix && /* @__PURE__ */ jsx13(CopyButton, { text: fix, label: t("overview.copy_fix") })
      ] });
    }
    case "stopped":
      return /* @__PURE__ */ jsxs7(
        Line,
        {
          title: t("overview.stopped", { sweep: finding.sweep.sweep }),
          tone: "bad",
          href: hash("/system"),
          children: [
            t("overview.stopped_about"),
            " ",
            /* @__PURE__ */ jsx13(Time, { at: finding.sweep.last_run_at })
          ]
        }
      );
    case "unserved": {
      const { queue } = finding;
      return /* @__PURE__ */ jsx13(
        Line,
        {
          title: t("overview.unserved", { queue: queue.queue }),
          tone: "bad",
          href: queueHash(queue.queue),
          children: t("overview.unserved_about", {
            waiting: queue.waiting,
            span: span(queue.oldest_waiting_seconds)
          })
        }
      );
    }
    case "silent":
      return /* @__PURE__ */ jsxs7(
        Line,
        {
          title: t("overview.silent", { n: finding.workers.length }),
          tone: "warn",
          href: hash("/workers"),
          children: [
            finding.workers.slice(0, NAMED).map(({ worker }) => /* @__PURE__ */ jsxs7("span", { children: [
              /* @__PURE__ */ jsx13("a", { href: hash(`/workers/${encodeURIComponent(worker)}`), children: worker }),
              " "
            ] }, worker)),
            finding.workers.length > NAMED && "…"
          ]
        }
      );
    case "no scheduler":
      return /* @__PURE__ */ jsxs7(Line, { title: t("overview.no_scheduler"), tone: "bad", href: hash("/system"), children: [
        t("overview.no_scheduler_about"),
        " ",
        /* @__PURE__ */ jsx13("code", { children: finding.detail })
      ] });
    case "redis":
      return /* @__PURE__ */ jsx13(Line, { title: t("overview.redis"), tone: "warn", href: hash("/system"), children: t("overview.redis_about", { detail: finding.detail }) });
    case "failing": {
      const { queue, share } = finding;
      return /* @__PURE__ */ jsx13(
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
      return /* @__PURE__ */ jsx13(
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
      return /* @__PURE__ */ jsxs7(
        Line,
        {
          title: t("overview.paused", { queue: queue.queue }),
          tone: "off",
          href: queueHash(queue.queue),
          children: [
            t("overview.paused_about", { waiting: number(queue.waiting) }),
            " ",
            /* @__PURE__ */ jsx13(Time, { at: queue.paused_at })
          ]
        }
      );
    }
  }
}
function Line({ title, tone, href, children }) {
  return /* @__PURE__ */ jsxs7("div", { class: `finding ${tone}`, children: [
    /* @__PURE__ */ jsx13("strong", { children: href ? /* @__PURE__ */ jsx13("a", { href, children: title }) : title }),
    /* @__PURE__ */ jsx13("span", { children })
  ] });
}

// src/pages/overview/queues.tsx
import { jsx as jsx14, jsxs as jsxs8 } from "./vendor.js";
var SHOWN = 10;
function Queues({ queues }) {
  const rows = [...queues].sort((a, b) => (b.oldest_waiting_seconds ?? -1) - (a.oldest_waiting_seconds ?? -1)).slice(0, SHOWN);
  return /* @__PURE__ */ jsxs8("section", { children: [
    /* @__PURE__ */ jsx14("h2", { children: t("overview.queues") }),
    /* @__PURE__ */ jsx14(
      Table,
      {
        label: t("overview.queues"),
        rows,
        columns: columns().map(({ by: _, ...column }) => column),
        rowKey: (queue) => queue.queue,
        href: (queue) => queueHash(queue.queue)
      }
    ),
    /* @__PURE__ */ jsx14("p", { children: /* @__PURE__ */ jsx14("a", { href: hash("/queues"), children: t("queues.all") }) })
  ] });
}

// src/parts/chart.tsx
import { useEffect as useEffect5, useRef as useRef5 } from "./vendor.js";

// src/state/dark.ts
import { computed as computed2, signal as signal9 } from "./vendor.js";
var media = matchMedia("(prefers-color-scheme: dark)");
var ofSystem = signal9(media.matches);
media.addEventListener("change", () => ofSystem.value = media.matches);
var isDark = computed2(
  () => theme.value === "auto" ? ofSystem.value : theme.value === "dark"
);

// src/parts/chart.tsx
import { jsx as jsx15, jsxs as jsxs9 } from "./vendor.js";
function Chart({ label, times, series, height = 180 }) {
  const place = useRef5(null);
  const chart = useRef5(null);
  const data = [times, ...series.map((one) => one.values)];
  const shape = [language.value, isDark.value, height, ...series.map((s) => s.label + s.colour)].join();
  const latest = useRef5(data);
  latest.current = data;
  useEffect5(() => {
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
  useEffect5(() => chart.current?.setData(data), [times, series]);
  return /* @__PURE__ */ jsxs9("figure", { class: "chart", "aria-label": label, children: [
    /* @__PURE__ */ jsx15("div", { ref: place, style: { minHeight: `${height}px` }, "aria-hidden": "true" }),
    /* @__PURE__ */ jsx15(Values, { times, series })
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
      { ...axis, grid: { show: false }, size: 28, values: (_, at) => at.map((s) => moment(s, times)) },
      { ...axis, grid, size: 44, values: (_, at) => at.map((value) => number(value, 2)) }
    ],
    series: [
      { label: t("chart.time"), value: (_, at) => at === null ? "" : moment(at, times) },
      ...series.map((one) => ({
        label: one.label,
        stroke: colourOf(one.colour, element),
        width: 1.75,
        // A value between two gaps makes no line.
        points: { show: false, size: 4, filter: (u, at) => lonely(u.data[at]) },
        value: (_, value) => value === null ? "–" : number(value, 2)
      }))
    ]
  };
}
function lonely(values) {
  const isGap = (at) => values[at] === null || values[at] === void 0;
  return Array.from(values, (_, at) => at).filter(
    (at) => !isGap(at) && isGap(at - 1) && isGap(at + 1)
  );
}
function Values({ times, series }) {
  return /* @__PURE__ */ jsxs9("table", { class: "unseen", children: [
    /* @__PURE__ */ jsx15("caption", { children: t("chart.values") }),
    /* @__PURE__ */ jsx15("tbody", { children: series.map((one) => /* @__PURE__ */ jsxs9("tr", { children: [
      /* @__PURE__ */ jsx15("th", { scope: "row", children: one.label }),
      one.values.slice(-12).map((value, index) => /* @__PURE__ */ jsx15("td", { children: value === null ? "–" : number(value, 2) }, times[times.length - 12 + index]))
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
import { jsx as jsx16, jsxs as jsxs10 } from "./vendor.js";
function Throughput({ history: history2 }) {
  const buckets = history2.buckets.filter((bucket) => bucket.is_complete);
  if (buckets.length < 2) return null;
  const perMinute = 60 / history2.bucket_seconds;
  const values = (of) => buckets.map((bucket) => bucket[of] * perMinute);
  return /* @__PURE__ */ jsxs10("section", { children: [
    /* @__PURE__ */ jsxs10("h2", { children: [
      t("overview.throughput"),
      " ",
      /* @__PURE__ */ jsx16("small", { children: t("overview.throughput_about") })
    ] }),
    /* @__PURE__ */ jsx16(
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
import { jsx as jsx17, jsxs as jsxs11 } from "./vendor.js";
function Totals({ queues }) {
  const failing = failureRate(queues);
  const waiting = sum(queues, (queue) => queue.waiting);
  const retrying = sum(queues, (queue) => count(queue, "retrying"));
  const running = sum(queues, (queue) => queue.in_progress);
  const failed = sum(queues, (queue) => count(queue, "failed"));
  return /* @__PURE__ */ jsxs11("section", { children: [
    /* @__PURE__ */ jsx17("h2", { children: t("overview.totals") }),
    /* @__PURE__ */ jsxs11("dl", { class: "totals", children: [
      /* @__PURE__ */ jsx17(Total, { name: t("overview.waiting"), href: hash("/tasks", { status: ["to_do", "retrying"] }), children: number(waiting) }),
      /* @__PURE__ */ jsx17(Total, { name: t("overview.running"), href: hash("/tasks", { status: "in_progress" }), children: number(running) }),
      /* @__PURE__ */ jsx17(Total, { name: t("overview.retrying"), href: hash("/tasks", { status: "retrying" }), children: number(retrying) }),
      /* @__PURE__ */ jsx17(Total, { name: t("overview.failed"), href: hash("/tasks", { status: "failed" }), children: number(failed) }),
      /* @__PURE__ */ jsx17(Total, { name: t("overview.done_rate"), href: hash("/tasks", { status: "done" }), children: number(sum(queues, (queue) => queue.done_per_minute), 1) }),
      /* @__PURE__ */ jsx17(Total, { name: t("overview.failure_rate"), href: hash("/failures"), children: failing === null ? "–" : percent(failing) })
    ] })
  ] });
}
function Total({ name, href, children }) {
  return /* @__PURE__ */ jsxs11("div", { children: [
    /* @__PURE__ */ jsx17("dt", { children: name }),
    /* @__PURE__ */ jsx17("dd", { children: href ? /* @__PURE__ */ jsx17("a", { href, children }) : children })
  ] });
}

// src/pages/overview/page.tsx
import { Fragment as Fragment5, jsx as jsx18, jsxs as jsxs12 } from "./vendor.js";
var MOST = 1e3;
function Overview() {
  const stats = useResource("stats", (signal10) => get("/stats", { query: { limit: MOST }, signal: signal10 }));
  const readiness = useResource("readiness", readinessOf, { everySeconds: 15 });
  const hour = useResource(
    "history",
    async (signal10) => (await get("/stats/history", { query: { minutes: 60 }, signal: signal10 })).document,
    { everySeconds: 60 }
  );
  const workers = useOverseen("workers", (signal10) => get("/admin/workers", { query: { limit: MOST }, signal: signal10 }), 30);
  const processes = useOverseen("processes", (signal10) => get("/admin/processes", { signal: signal10 }), 30);
  const doctor = useOverseen("doctor", (signal10) => get("/admin/doctor", { signal: signal10 }), 120);
  const isKnown = [readiness, workers, processes, doctor].every(({ state }) => state.value.at !== null);
  return /* @__PURE__ */ jsx18(Loaded, { resource: stats, children: ({ document: document2, next }) => {
    const { queues } = document2;
    if (queues.length === 0) return /* @__PURE__ */ jsx18(First, {});
    const history2 = hour.state.value.data;
    const found = findings({
      queues,
      history: history2,
      readiness: readiness.state.value.data,
      // Of a part of them nothing can be said about the others.
      workers: workers.state.value.data?.next ? null : workers.state.value.data?.document ?? null,
      sweeps: processes.state.value.data?.document.sweeps ?? [],
      examined: doctor.state.value.data?.document.findings ?? []
    });
    return /* @__PURE__ */ jsxs12(Fragment5, { children: [
      /* @__PURE__ */ jsx18(Attention, { found, queues, isKnown }),
      !oversees() && /* @__PURE__ */ jsxs12("section", { children: [
        /* @__PURE__ */ jsx18("p", { class: "quiet", children: t("overview.less") }),
        /* @__PURE__ */ jsx18(Overseen, { children: null })
      ] }),
      /* @__PURE__ */ jsx18(Totals, { queues }),
      history2 && /* @__PURE__ */ jsx18(Throughput, { history: history2 }),
      /* @__PURE__ */ jsx18(Queues, { queues }),
      next !== null && /* @__PURE__ */ jsx18("p", { class: "quiet", children: t("overview.more_queues", { n: MOST }) })
    ] });
  } });
}
function First() {
  const command = `curl -s ${urlOf("/tasks")} -H 'Content-Type: application/json' -d '{"title": "Say hello"}'`;
  return /* @__PURE__ */ jsxs12(Empty, { children: [
    /* @__PURE__ */ jsx18("p", { children: t("overview.none") }),
    /* @__PURE__ */ jsx18("pre", { tabIndex: 0, children: command })
  ] });
}
async function readinessOf(signal10) {
  try {
    return (await get("/readyz", { signal: signal10 })).document;
  } catch (error) {
    if (error instanceof Problem && "parts" in error.facts) return error.facts;
    throw error;
  }
}

export {
  LANGUAGES,
  THEMES,
  INTERVALS,
  language,
  theme,
  interval,
  kept,
  loadTexts,
  t,
  number,
  bytes,
  span,
  distance,
  localTime,
  JsonText,
  Problem,
  call,
  get,
  send,
  urlOf,
  now,
  announce,
  LiveRegion,
  CopyButton,
  Loaded,
  Placeholder,
  ProblemNote,
  problemText,
  Empty,
  location,
  hash,
  go,
  refine,
  pause,
  useHold,
  useResource,
  refreshes,
  refreshAll,
  Table,
  Bar,
  Chip,
  StatusChip,
  priorityText,
  Time,
  Span,
  sum,
  queueHash,
  columns,
  session,
  hasToken,
  me,
  opens,
  resume,
  signIn,
  signOut,
  Overseen,
  Chart,
  tell,
  tellProblem,
  doLater,
  Toasts,
  Dialog,
  ConfirmDialog,
  checkText,
  CheckName,
  Overview,
  First
};
