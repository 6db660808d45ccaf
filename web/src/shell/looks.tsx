import { t, type Key } from "../i18n";
import {
  language,
  LANGUAGES,
  theme,
  THEMES,
  type Language,
  type Theme,
} from "../state/preferences";

/** How the page is shown: its language and its colours. */
export function Looks() {
  return (
    <div class="looks">
      <select
        aria-label={t("app.language")}
        value={language.value}
        onChange={(event) => (language.value = event.currentTarget.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option value={code} lang={code} key={code}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={t("app.theme")}
        value={theme.value}
        onChange={(event) => (theme.value = event.currentTarget.value as Theme)}
      >
        {THEMES.map((name) => (
          <option value={name} key={name}>
            {t(`theme.${name}` as Key)}
          </option>
        ))}
      </select>
    </div>
  );
}
