import { useEffect, useRef } from "preact/hooks";

import { t } from "../i18n";
import { pageAt } from "../pages";
import { Empty, ProblemNote } from "../parts/states";
import { location } from "../state/location";
import { resume, session } from "../state/session";
import { Head } from "./head";
import { Help } from "./help";
import { LiveRegion } from "./live_region";
import { Navigation } from "./navigation";
import { SignIn } from "./sign_in";
import { Toasts } from "./toasts";

export function App() {
  return (
    <>
      <Inside />
      <Toasts />
      <LiveRegion />
      <Help />
    </>
  );
}

function Inside() {
  const found = session.value;
  switch (found.state) {
    case "asking":
      return <main class="alone" aria-busy="true">{t("sign_in.connecting")}</main>;
    case "signed out":
      return <SignIn problem={found.problem} />;
    case "failed":
      return (
        <main class="alone">
          <ProblemNote problem={found.problem} onRetry={resume} />
        </main>
      );
    case "open":
      return (
        <div class="shell">
          <a class="skip" href="#main" onClick={skip}>
            {t("app.skip")}
          </a>
          <Navigation />
          <div class="beside">
            <Head />
            <Content />
          </div>
        </div>
      );
  }
}

function Content() {
  const main = useRef<HTMLElement>(null);
  const { path } = location.value;
  const found = pageAt(path);
  const title = found ? t(found.page.title) : t("app.name");
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = found ? `${title} – ${t("app.name")}` : title;
  }, [title]);
  useEffect(() => {
    // A screen reader goes on with the new page.
    if (!isFirst.current) main.current!.focus({ preventScroll: true });
    isFirst.current = false;
    window.scrollTo(0, 0);
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      {found ? (
        <found.page.component key={path} rest={found.rest} />
      ) : (
        <Empty>
          <p>{t("app.not_found")}</p>
        </Empty>
      )}
    </main>
  );
}

/** An address of its own would be a page's. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
