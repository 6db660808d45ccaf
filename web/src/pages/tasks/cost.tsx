// What a list will have MySQL read, said before it does: of searches, and of tags with other filters.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { send } from "../../api/client";
import type { components } from "../../api/schema";
import { number, t } from "../../i18n";
import { useResource } from "../../state/polling";
import { draft } from "./filter_bar";
import { isSearch, read, resolved, type Filter } from "./filters";
import { joined, link } from "./view";

type Cost = components["schemas"]["CostDocument"];

/** How long nothing is written before it is asked for. */
const PAUSE_MS = 400;
/** The list that a person has begun, whatever it may cost. */
const begun = signal("");

interface Announced {
  /** Of what is written, else of the list; null: not known, or nothing worth saying. */
  cost: Cost | null;
  /** Whether the list is not to be asked for yet. */
  waits: boolean;
  /** Whether it waits for a person. */
  isHeld: boolean;
  /** A person wants these filters; what they cost they know if it is shown. */
  enter: (filters: Filter[]) => void;
}

export function useCost(filters: Filter[], order: string, limit: number): Announced {
  const text = useSettled(draft.value);
  const found = text ? read(text, filters) : filters;
  const next = typeof found === "string" ? filters : found;
  const isAsked = isSearch(next) || isCombined(next);
  const of = keyOf(next, order);
  const resource = useResource(
    `cost ${isAsked ? of : ""}`,
    async (signal): Promise<Cost | null> => {
      if (!isAsked) return null;
      const query = joined(`limit=${limit}`, resolved(next), order);
      return (await send<Cost>("GET", `/tasks/cost?${query}`, { signal })).document;
    },
    { everySeconds: Infinity },
  );
  const { data, problem } = resource.state.value;
  const isKnown = of === keyOf(filters, order) && (data !== null || problem !== null);
  const isFree = !isSearch(filters) || begun.value === link(filters, order);
  const waits = !isFree && !(isKnown && !data?.may_be_cut_off);
  useEffect(() => {
    // So it stays, whatever is written then.
    if (!isFree && !waits) begun.value = link(filters, order);
  });
  return {
    cost: isAsked ? data : null,
    waits,
    isHeld: waits && isKnown,
    enter: (wanted) => {
      if (data !== null && of === keyOf(wanted, order)) begun.value = link(wanted, order);
    },
  };
}

export function CostLine({ cost, isHeld, onRun }: { cost: Cost; isHeld: boolean; onRun: () => void }) {
  const { index, rows_at_least: least, rows_at_most: most } = cost;
  const rows = { index: index ?? "", least: number(least), n: number(most) };
  return (
    <p class={`note row ${cost.may_be_cut_off ? "warn" : "info"}`} role="status">
      <span>
        {t(index === null ? "tasks.cost_nothing" : least === most ? "tasks.cost" : "tasks.cost_between", rows)}
      </span>
      {cost.may_be_cut_off && <span>{t("tasks.cut_off", { seconds: cost.timeout_seconds })}</span>}
      {isHeld && (
        <button type="button" onClick={onRun}>
          {t("tasks.run")}
        </button>
      )}
    </p>
  );
}

/** A tag and more: which of them leads is for the server to choose. */
function isCombined(filters: Filter[]): boolean {
  return filters.length > 1 && filters.some(([key]) => key === "tag");
}

/** What it costs does not depend on the words that are looked for. */
function keyOf(filters: Filter[], order: string): string {
  const parts = filters.map(([key, value]) => (key === "title" || key === "worker" ? key : `${key}=${value}`));
  return [...parts.sort(), order].join("&");
}

/** A text, once it has been the same for a moment. */
function useSettled(text: string): string {
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
