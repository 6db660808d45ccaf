import {
  Dialog,
  Empty,
  INTERVALS,
  LANGUAGES,
  LiveRegion,
  Overview,
  Placeholder,
  Problem,
  ProblemNote,
  THEMES,
  Toasts,
  go,
  hasToken,
  hash,
  interval,
  language,
  loadTexts,
  location,
  me,
  pause,
  problemText,
  refreshAll,
  resume,
  session,
  signIn,
  signOut,
  t,
  theme
} from "./chunk.js";

// src/main.tsx
import { render } from "./vendor.js";

// src/pages/later.tsx
import { signal } from "./vendor.js";
import { h } from "./vendor.js";
import { useEffect } from "./vendor.js";
import { jsx } from "./vendor.js";
var others = signal(null);
var problem = signal(null);
async function loadOthers() {
  problem.value = null;
  try {
    others.value ??= await import("./others.js");
  } catch {
    problem.value = new Problem(0);
  }
}
function later(name) {
  return function Later(props) {
    useEffect(() => void loadOthers(), []);
    if (others.value) return h(others.value[name], props);
    return problem.value ? /* @__PURE__ */ jsx(ProblemNote, { problem: problem.value, onRetry: loadOthers }) : /* @__PURE__ */ jsx(Placeholder, {});
  };
}

// src/shell/app.tsx
import { useEffect as useEffect2, useRef } from "./vendor.js";

// src/pages/index.ts
var PAGES = [
  { path: "/", letter: "o", title: "overview.title", component: Overview },
  { path: "/queues", letter: "q", title: "queues.title", component: later("Queues") },
  { path: "/tasks", letter: "t", title: "tasks.title", component: later("Tasks") },
  { path: "/workers", letter: "w", title: "workers.title", component: later("Workers") },
  { path: "/schedules", letter: "c", title: "schedules.title", component: later("Schedules") },
  { path: "/system", letter: "y", title: "system.title", component: later("System") },
  { path: "/submit", letter: "n", title: "submit.title", component: later("Submit") }
];
function pageAt(path) {
  const [, first = "", rest = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const page = PAGES.find((each) => each.path === `/${first}`);
  return page ? { page, rest } : null;
}

// src/shell/head.tsx
import { useState } from "./vendor.js";

// src/shell/keys.ts
import { signal as signal2 } from "./vendor.js";
var showsHelp = signal2(false);
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
import { jsx as jsx2, jsxs } from "./vendor.js";
function Head() {
  const page = pageAt(location.value.path)?.page;
  return /* @__PURE__ */ jsxs("header", { children: [
    /* @__PURE__ */ jsx2("h1", { children: page ? t(page.title) : t("app.name") }),
    /* @__PURE__ */ jsx2(Refresh, {}),
    /* @__PURE__ */ jsx2("button", { type: "button", class: "icon", "aria-label": t("app.help"), title: t("app.help"), onClick: () => showsHelp.value = true, children: "?" }),
    hasToken.value && /* @__PURE__ */ jsx2("button", { type: "button", onClick: () => signOut(), children: t("app.sign_out") })
  ] });
}
function Refresh() {
  const [isBusy, setBusy] = useState(false);
  const refresh = async () => {
    setBusy(true);
    await refreshAll().finally(() => setBusy(false));
  };
  return /* @__PURE__ */ jsxs("span", { class: "refresh", children: [
    pause.value === "held" && /* @__PURE__ */ jsx2("span", { class: "quiet", children: t("app.refresh_held") }),
    /* @__PURE__ */ jsx2("button", { type: "button", class: "icon", "aria-label": t("app.refresh"), title: t("app.refresh"), disabled: isBusy, onClick: () => void refresh(), children: "↻" }),
    /* @__PURE__ */ jsx2(
      "select",
      {
        "aria-label": t("app.refresh"),
        value: interval.value,
        onChange: (event) => interval.value = Number(event.currentTarget.value),
        children: INTERVALS.map((seconds) => /* @__PURE__ */ jsx2("option", { value: seconds, children: seconds ? t("app.refresh_every", { seconds }) : t("app.refresh_off") }, seconds))
      }
    )
  ] });
}

// src/shell/help.tsx
import { jsx as jsx3, jsxs as jsxs2 } from "./vendor.js";
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
  return /* @__PURE__ */ jsx3(Dialog, { title: t("keys.title"), onClose: () => showsHelp.value = false, children: /* @__PURE__ */ jsx3("dl", { class: "keys", children: keys.map(([key, meaning]) => /* @__PURE__ */ jsxs2("div", { children: [
    /* @__PURE__ */ jsx3("dt", { children: key.split(" ").map((each) => /* @__PURE__ */ jsx3("kbd", { children: each }, each)) }),
    /* @__PURE__ */ jsx3("dd", { children: meaning })
  ] }, key)) }) });
}

// src/shell/looks.tsx
import { jsx as jsx4, jsxs as jsxs3 } from "./vendor.js";
function Looks() {
  return /* @__PURE__ */ jsxs3("div", { class: "looks", children: [
    /* @__PURE__ */ jsx4(
      "select",
      {
        "aria-label": t("app.language"),
        value: language.value,
        onChange: (event) => language.value = event.currentTarget.value,
        children: Object.entries(LANGUAGES).map(([code, name]) => /* @__PURE__ */ jsx4("option", { value: code, lang: code, children: name }, code))
      }
    ),
    /* @__PURE__ */ jsx4(
      "select",
      {
        "aria-label": t("app.theme"),
        value: theme.value,
        onChange: (event) => theme.value = event.currentTarget.value,
        children: THEMES.map((name) => /* @__PURE__ */ jsx4("option", { value: name, children: t(`theme.${name}`) }, name))
      }
    )
  ] });
}

// src/shell/navigation.tsx
import { jsx as jsx5, jsxs as jsxs4 } from "./vendor.js";
function Navigation() {
  const here = pageAt(location.value.path)?.page;
  return /* @__PURE__ */ jsxs4("nav", { "aria-label": t("app.menu"), children: [
    /* @__PURE__ */ jsxs4("a", { class: "brand", href: "#/", children: [
      /* @__PURE__ */ jsx5("img", { src: "icon.svg", alt: "", width: "22", height: "22" }),
      t("app.name")
    ] }),
    /* @__PURE__ */ jsx5("ul", { children: PAGES.map((page) => /* @__PURE__ */ jsx5("li", { children: /* @__PURE__ */ jsx5("a", { href: hash(page.path), "aria-current": page === here ? "page" : void 0, children: t(page.title) }) }, page.path)) }),
    /* @__PURE__ */ jsx5(Looks, {}),
    me.value && /* @__PURE__ */ jsx5("p", { class: "version", children: t("app.version", { version: me.value.version }) })
  ] });
}

// src/shell/sign_in.tsx
import { useState as useState2 } from "./vendor.js";
import { jsx as jsx6, jsxs as jsxs5 } from "./vendor.js";
function SignIn({ problem: problem2 }) {
  const [token, setToken] = useState2("");
  const [keeps, setKeeps] = useState2(false);
  const submit = (event) => {
    event.preventDefault();
    if (token.trim()) void signIn(token.trim(), keeps);
  };
  return /* @__PURE__ */ jsx6("main", { class: "alone", children: /* @__PURE__ */ jsxs5("form", { class: "card", onSubmit: submit, children: [
    /* @__PURE__ */ jsxs5("h1", { children: [
      /* @__PURE__ */ jsx6("img", { src: "icon.svg", alt: "", width: "26", height: "26" }),
      " ",
      t("app.name")
    ] }),
    /* @__PURE__ */ jsxs5("label", { children: [
      t("sign_in.token"),
      /* @__PURE__ */ jsx6(
        "input",
        {
          type: "password",
          autoComplete: "off",
          autofocus: true,
          value: token,
          "aria-describedby": "sign-in-about",
          onInput: (event) => setToken(event.currentTarget.value)
        }
      )
    ] }),
    /* @__PURE__ */ jsx6("p", { id: "sign-in-about", class: "quiet", children: t("sign_in.about") }),
    /* @__PURE__ */ jsxs5("label", { class: "choice", children: [
      /* @__PURE__ */ jsx6(
        "input",
        {
          type: "checkbox",
          checked: keeps,
          onChange: (event) => setKeeps(event.currentTarget.checked)
        }
      ),
      t("sign_in.keep")
    ] }),
    problem2 && /* @__PURE__ */ jsx6("p", { class: "note bad", role: "alert", children: problemText(problem2) }),
    /* @__PURE__ */ jsx6("button", { type: "submit", class: "main", children: t("sign_in.submit") }),
    /* @__PURE__ */ jsx6(Looks, {})
  ] }) });
}

// src/shell/app.tsx
import { Fragment, jsx as jsx7, jsxs as jsxs6 } from "./vendor.js";
function App() {
  return /* @__PURE__ */ jsxs6(Fragment, { children: [
    /* @__PURE__ */ jsx7(Inside, {}),
    /* @__PURE__ */ jsx7(Toasts, {}),
    /* @__PURE__ */ jsx7(LiveRegion, {}),
    /* @__PURE__ */ jsx7(Help, {})
  ] });
}
function Inside() {
  const found = session.value;
  switch (found.state) {
    case "asking":
      return /* @__PURE__ */ jsx7("main", { class: "alone", "aria-busy": "true", children: t("sign_in.connecting") });
    case "signed out":
      return /* @__PURE__ */ jsx7(SignIn, { problem: found.problem });
    case "failed":
      return /* @__PURE__ */ jsx7("main", { class: "alone", children: /* @__PURE__ */ jsx7(ProblemNote, { problem: found.problem, onRetry: resume }) });
    case "open":
      return /* @__PURE__ */ jsxs6("div", { class: "shell", children: [
        /* @__PURE__ */ jsx7("a", { class: "skip", href: "#main", onClick: skip, children: t("app.skip") }),
        /* @__PURE__ */ jsx7(Navigation, {}),
        /* @__PURE__ */ jsxs6("div", { class: "beside", children: [
          /* @__PURE__ */ jsx7(Head, {}),
          /* @__PURE__ */ jsx7(Content, {})
        ] })
      ] });
  }
}
function Content() {
  const main = useRef(null);
  const { path } = location.value;
  const found = pageAt(path);
  const title = found ? t(found.page.title) : t("app.name");
  const isFirst = useRef(true);
  useEffect2(() => {
    document.title = found ? `${title} – ${t("app.name")}` : title;
  }, [title]);
  useEffect2(() => {
    if (!isFirst.current) main.current.focus({ preventScroll: true });
    isFirst.current = false;
    window.scrollTo(0, 0);
  }, [path]);
  return /* @__PURE__ */ jsx7("main", { id: "main", ref: main, tabIndex: -1, children: found ? /* @__PURE__ */ jsx7(found.page.component, { rest: found.rest }, path) : /* @__PURE__ */ jsx7(Empty, { children: /* @__PURE__ */ jsx7("p", { children: t("app.not_found") }) }) });
}
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

// src/main.tsx
import { jsx as jsx8 } from "./vendor.js";
void resume();
await loadTexts();
render(/* @__PURE__ */ jsx8(App, {}), document.getElementById("app"));
setTimeout(() => void loadOthers(), 500);
