import { useState } from "preact/hooks";

import { t } from "../i18n";
import { pageAt } from "../pages";
import { location } from "../state/location";
import { pause, refreshAll } from "../state/polling";
import { INTERVALS, interval } from "../state/preferences";
import { hasToken, signOut } from "../state/session";
import { showsHelp } from "./keys";

/** The page's name, and how fresh it is. */
export function Head() {
  const page = pageAt(location.value.path)?.page;
  return (
    <header>
      <h1>{page ? t(page.title) : t("app.name")}</h1>
      <Refresh />
      <button type="button" class="icon" aria-label={t("app.help")} title={t("app.help")} onClick={() => (showsHelp.value = true)}>
        ?
      </button>
      {hasToken.value && (
        <button type="button" onClick={() => signOut()}>
          {t("app.sign_out")}
        </button>
      )}
    </header>
  );
}

function Refresh() {
  const [isBusy, setBusy] = useState(false);
  const refresh = async () => {
    setBusy(true);
    await refreshAll().finally(() => setBusy(false));
  };
  return (
    <span class="refresh">
      {pause.value === "held" && <span class="quiet">{t("app.refresh_held")}</span>}
      <button type="button" class="icon" aria-label={t("app.refresh")} title={t("app.refresh")} disabled={isBusy} onClick={() => void refresh()}>
        ↻
      </button>
      <select
        aria-label={t("app.refresh")}
        value={interval.value}
        onChange={(event) => (interval.value = Number(event.currentTarget.value))}
      >
        {INTERVALS.map((seconds) => (
          <option value={seconds} key={seconds}>
            {seconds ? t("app.refresh_every", { seconds }) : t("app.refresh_off")}
          </option>
        ))}
      </select>
    </span>
  );
}
