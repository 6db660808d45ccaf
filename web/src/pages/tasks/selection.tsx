import { useState } from "preact/hooks";

import { t, type Key } from "../../i18n";
import { ACTIONS, BlastRadius, type Action, type Scope } from "./bulk";
import { all, clear, selected } from "./choice";
import type { Row } from "./columns";
import { resolved, type Filter } from "./filters";

interface Props {
  filters: Filter[];
  rows: Row[];
  /** How many match, as a text; null where the choice cannot be of all. */
  matching: string | null;
  total: number | null;
}

/** What can be done with what is chosen. */
export function Selection({ filters, rows, matching, total }: Props) {
  const [asked, setAsked] = useState<{ action: Action; scope: Scope } | null>(null);
  const isAll = all.value === selected.value;
  const chooseAll = () => {
    selected.value = all.value = new Set([...selected.value, ...rows.map((row) => String(row.id))]);
  };
  const ask = (action: Action) => {
    const ids = isAll ? null : [...selected.value].map(Number);
    setAsked({ action, scope: { filters: resolved(filters), ids } });
  };
  return (
    <>
      {asked && <BlastRadius {...asked} onClose={() => setAsked(null)} />}
      <strong>
        {isAll && matching ? t("tasks.all_selected", { n: matching }) : t("table.selected", { n: selected.value.size })}
      </strong>
      {!isAll && matching && selected.value.size < (total ?? Infinity) && (
        <button type="button" class="plain" onClick={chooseAll}>
          {t("tasks.select_all", { n: matching })}
        </button>
      )}
      {ACTIONS.map((action) => (
        <button type="button" key={action} class={action === "delete" ? "danger" : undefined} onClick={() => ask(action)}>
          {t(`tasks.${action}` as Key)}
        </button>
      ))}
      <button type="button" class="plain" onClick={clear}>
        {t("tasks.clear")}
      </button>
    </>
  );
}
