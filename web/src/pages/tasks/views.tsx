import { useState } from "preact/hooks";

import { t } from "../../i18n";
import { Menu } from "../../parts/menu";
import { kept } from "../../state/preferences";

interface View {
  name: string;
  to: string;
}

const views = kept<View[]>("tasks.views", [], (x) => Array.isArray(x) && x.every((each) => typeof each?.to === "string"));

/** Filters and order by a name, kept in this browser. */
export function SavedViews({ here }: { here: string }) {
  const [name, setName] = useState("");
  const others = (out: string) => views.value.filter((view) => view.name !== out);
  const save = (event: Event) => {
    event.preventDefault();
    if (!name.trim()) return;
    views.value = [...others(name.trim()), { name: name.trim(), to: here }];
    setName("");
  };
  return (
    <Menu label={t("tasks.views")}>
      {views.value.map((view) => (
        <p class="row" key={view.name}>
          <a href={view.to} aria-current={view.to === here}>
            {view.name}
          </a>
          <button type="button" class="plain" aria-label={t("tasks.remove", { filter: view.name })} onClick={() => (views.value = others(view.name))}>
            ×
          </button>
        </p>
      ))}
      <form class="row" onSubmit={save}>
        <input
          aria-label={t("tasks.view_name")}
          placeholder={t("tasks.view_name")}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit">{t("tasks.save_view")}</button>
      </form>
    </Menu>
  );
}
