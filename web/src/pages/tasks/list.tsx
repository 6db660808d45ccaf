import { useEffect } from "preact/hooks";

import { send } from "../../api/client";
import type { components } from "../../api/schema";
import { number, t } from "../../i18n";
import { CopyButton } from "../../parts/copy_button";
import { Menu } from "../../parts/menu";
import { Empty, Loaded } from "../../parts/states";
import { Table } from "../../parts/table";
import { announce } from "../../shell/live_region";
import { go, location } from "../../state/location";
import { refreshes, useHold, useResource } from "../../state/polling";
import { opens } from "../../state/session";
import { First } from "../overview/page";
import { chooseFrom, selected } from "./choice";
import { ChooseColumns, columnsOf, type Row } from "./columns";
import { CostLine, useCost } from "./cost";
import { draft, FilterBar } from "./filter_bar";
import { filtersOf, isSearch, resolved, withFilter, type Filter } from "./filters";
import { exportTasks } from "./ndjson";
import { useSteadyRows, type Listed } from "./rows";
import { Selection } from "./selection";
import { asCommand, asCurl, joined, link, linkTo, orderOf, ORDERS } from "./view";
import { SavedViews } from "./views";

type Counted = components["schemas"]["CountDocument"];

const PAGE = 50;
/** The page before each page: cursors lead on, never back. */
const before = new Map<string, string>();

export function TaskList() {
  const { query } = location.value;
  const filters = filtersOf(query);
  const order = orderOf(query);
  const cursor = query.get("cursor");
  const wanted = String(new URLSearchParams(filters));
  const whole = joined(wanted, order);
  const view = joined(whole, cursor === null ? "" : new URLSearchParams({ cursor }));
  const isOnce = isSearch(filters);
  const isDelayed = order.startsWith("order_by");
  const { cost, waits, isHeld, enter } = useCost(filters, order, PAGE);

  const list = useResource(
    `tasks ${view}`,
    async (signal): Promise<Listed> => {
      const of = `${view} ${refreshes.peek()}`;
      const here = window.location.hash;
      const page = view.replace(wanted, String(resolved(filters)));
      const query = joined(`limit=${PAGE}&view=summary`, page);
      const answer = await send<Row[]>("GET", `/tasks?${query}`, { signal });
      return { rows: answer.document, next: answer.next, here, list: whole, of };
    },
    { keepsOld: true, everySeconds: isOnce ? Infinity : 0, waits },
  );
  const count = useResource(
    `count ${wanted} ${isDelayed}`,
    async (signal): Promise<Counted | null> => {
      if (isDelayed) return null;
      const query = String(resolved(filters));
      return (await send<Counted>("GET", `/tasks/count${query && `?${query}`}`, { signal })).document;
    },
    {
      everySeconds: isOnce ? Infinity : filters.every(([key]) => /^(status|priority|queue)$/.test(key)) ? 15 : 60,
      waits,
    },
  );
  const counted = count.state.value.data;
  const matching =
    counted && (counted.is_exact ? number(counted.count) : t("tasks.at_least", { n: counted.count }));
  const { problem, data } = list.state.value;
  const isSlow = problem?.title === "Search too slow";
  useHold(isSlow);
  useEffect(() => {
    if (matching) announce(t("tasks.count", { n: matching }));
  }, [wanted, matching !== null]);

  const valuesOf = (key: string) => {
    const rows = data?.rows ?? [];
    return [...new Set(key === "tag" ? rows.flatMap((row) => row.tags) : rows.map((row) => String(row[key as "queue"] ?? "")))];
  };
  return (
    <>
      <FilterBar filters={filters} order={order} values={valuesOf} onEnter={enter} />
      {cost && <CostLine cost={cost} isHeld={isHeld} onRun={() => enter(filters)} />}
      {(isSlow || isHeld) && <Narrow filters={filters} order={order} />}
      {!(isHeld && data === null) && (
        <Loaded resource={list}>
          {(listed) => (
            <Rows
              listed={listed}
              filters={filters}
              order={order}
              matching={matching}
              total={counted?.is_exact ? counted.count : null}
              isPaged={cursor !== null}
              isOther={listed.list !== whole}
            />
          )}
        </Loaded>
      )}
    </>
  );
}

interface Props {
  listed: Listed;
  filters: Filter[];
  order: string;
  matching: string | null;
  total: number | null;
  isPaged: boolean;
  /** These rows are of other filters: nothing can be done with them. */
  isOther: boolean;
}

function Rows({ listed, filters, order, matching, total, isPaged, isOther }: Props) {
  const isDelayed = order.startsWith("order_by");
  const { rows, gone, news, isMore, take } = useSteadyRows(
    listed,
    isDelayed ? "available_at" : "created_at",
    order.includes("asc"),
  );
  const isAdmin = opens("admin");
  const wanted = String(new URLSearchParams(filters));
  useEffect(() => {
    if (!isOther) chooseFrom(wanted, rows);
  });
  const refine = (key: string, value: string) => link(withFilter(filters, key, value), order);
  const isChosen = isAdmin && !isOther && selected.value.size > 0;
  const here = window.location.hash;
  const next = listed.next && linkTo(listed.next);

  return (
    <>
      <div class="row tools">
        {isChosen ? (
          <Selection
            filters={filters}
            rows={rows}
            matching={filters.length && !isDelayed ? matching : null}
            total={total}
          />
        ) : (
          <>
            <strong>{matching && t("tasks.count", { n: matching })}</strong>
            {!isOther && (news > 0 || gone.size > 0) && (
              <button type="button" class="plain" onClick={take}>
                {news > 0 ? t("tasks.new", { n: `${number(news)}${isMore ? "+" : ""}` }) : t("tasks.some_gone", { n: gone.size })}
              </button>
            )}
            <span class="fill" />
            <select
              aria-label={t("tasks.order")}
              value={order}
              onChange={(event) => go(link(filters, event.currentTarget.value))}
            >
              {ORDERS.map((each, index) => (
                <option value={each} key={each}>
                  {[t("tasks.newest"), t("tasks.oldest"), t("tasks.delayed")][index]}
                </option>
              ))}
            </select>
            <ChooseColumns />
            <SavedViews here={link(filters, order)} />
            <Menu label={t("tasks.share")}>
              <CopyButton text={asCurl(filters, order)} label={t("tasks.as_curl")} />
              <CopyButton text={asCommand(filters, order)} label={t("tasks.as_command")} />
              <button
                type="button"
                class="plain"
                onClick={() => exportTasks(joined(resolved(filters), order), total)}
              >
                {t("tasks.export")}
              </button>
            </Menu>
          </>
        )}
      </div>
      <div inert={isOther}>
        {rows.length === 0 ? (
          filters.length || isPaged || isDelayed ? (
            <Empty isFiltered onClear={() => go("#/tasks")} />
          ) : (
            <First />
          )
        ) : (
          <Table
            label={t("tasks.title")}
            rows={rows}
            columns={columnsOf(refine, (row) => gone.has(row.id))}
            rowKey={(row) => String(row.id)}
            href={(row) => `#/tasks/${row.id}`}
            {...(isAdmin ? { selected } : {})}
          />
        )}
        {(isPaged || next) && (
          <div class="row pages" role="navigation" aria-label={t("tasks.pages")} onClick={() => scrollTo(0, 0)}>
            {isPaged && <a href={before.get(here) ?? link(filters, order)}>← {before.has(here) ? t("tasks.previous") : t("tasks.first")}</a>}
            {next && (
              <a href={next} onClick={() => before.set(next, listed.here)}>
                {t("tasks.next")} →
              </a>
            )}
          </div>
        )}
      </div>
    </>
  );
}

/** Ways to make a search short enough. */
function Narrow({ filters, order }: { filters: Filter[]; order: string }) {
  const has = (start: string) => filters.some(([key]) => key.startsWith(start));
  const begin = (key: string) => {
    draft.value = `${key}:`;
    document.querySelector<HTMLElement>("[data-filter]")!.focus();
  };
  return (
    <p class="row narrow">
      {t("tasks.narrow")}
      {!has("created") && <a href={link(withFilter(filters, "created_after", "24h"), order)}>created_after: 24h</a>}
      {["queue", "status", "tag"].filter((key) => !has(key)).map((key) => (
        <button type="button" class="plain" key={key} onClick={() => begin(key)}>
          {key}: …
        </button>
      ))}
    </p>
  );
}
