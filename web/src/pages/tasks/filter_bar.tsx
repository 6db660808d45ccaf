import { signal } from "@preact/signals";
import { useId, useState } from "preact/hooks";

import { localTime, t } from "../../i18n";
import { go } from "../../state/location";
import { completions, isTime, read, written, type Filter } from "./filters";
import { link } from "./view";

/** What is written and not yet a filter. */
export const draft = signal("");

interface Props {
  filters: Filter[];
  order: string;
  /** What the rows have of a key, to complete it. */
  values: (key: string) => string[];
  /** Called with the filters that a person enters, before they are in the address. */
  onEnter: (filters: Filter[]) => void;
}

/** The filters, each with a way out, and a line to write more of them. */
export function FilterBar({ filters, order, values, onEnter }: Props) {
  const [fault, setFault] = useState("");
  const list = useId();
  const without = (filter: Filter) => go(link(filters.filter((each) => each !== filter), order));
  const edit = (filter: Filter) => {
    draft.value = written(filter);
    without(filter);
    document.querySelector<HTMLElement>("[data-filter]")!.focus();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const found = read(draft.value, filters);
    if (typeof found === "string") return setFault(found);
    setFault("");
    onEnter(found);
    draft.value = "";
    go(link(found, order));
  };
  return (
    <form class="filters" role="search" onSubmit={submit}>
      {filters.map((filter) => (
        <span class="filter" key={filter.join()}>
          <button type="button" class="plain" title={t("tasks.edit")} onClick={() => edit(filter)}>
            {textOf(filter)}
          </button>
          <button type="button" class="plain" aria-label={t("tasks.remove", { filter: textOf(filter) })} onClick={() => without(filter)}>
            ×
          </button>
        </span>
      ))}
      <input
        data-filter
        type="search"
        autoComplete="off"
        spellcheck={false}
        aria-label={t("tasks.filter")}
        aria-describedby={fault ? `${list}f` : undefined}
        placeholder={t("tasks.filter_like")}
        list={list}
        value={draft.value}
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Backspace" || draft.value || filters.length === 0) return;
          event.preventDefault();
          edit(filters.at(-1)!);
        }}
      />
      <datalist id={list}>
        {completions(draft.value, values).map((each) => (
          <option value={each} key={each} />
        ))}
      </datalist>
      {fault && (
        <p class="note bad" role="alert" id={`${list}f`}>
          {fault}
        </p>
      )}
    </form>
  );
}

function textOf(filter: Filter): string {
  const [key, value] = filter;
  const at = isTime(key) && value.includes("T") ? new Date(value) : null;
  if (at === null || isNaN(at.getTime())) return `${key}: ${value}`;
  return `${key}: ${localTime(at, { dateStyle: "medium", timeStyle: "short" })}`;
}
