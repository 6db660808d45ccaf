import { t } from "../i18n";
import { PAGES, pageAt } from "../pages";
import { hash, location } from "../state/location";
import { me } from "../state/session";
import { Looks } from "./looks";

export function Navigation() {
  const here = pageAt(location.value.path)?.page;
  return (
    <nav aria-label={t("app.menu")}>
      <a class="brand" href="#/">
        <img src="icon.svg" alt="" width="22" height="22" />
        {t("app.name")}
      </a>
      <ul>
        {PAGES.map((page) => (
          <li key={page.path}>
            <a href={hash(page.path)} aria-current={page === here ? "page" : undefined}>
              {t(page.title)}
            </a>
          </li>
        ))}
      </ul>
      <Looks />
      {me.value && <p class="version">{t("app.version", { version: me.value.version })}</p>}
    </nav>
  );
}
