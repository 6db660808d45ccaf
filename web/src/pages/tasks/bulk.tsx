// Management of many tasks: first what it would do, then page by page.
import { useEffect, useState } from "preact/hooks";

import { Problem, send } from "../../api/client";
import type { components } from "../../api/schema";
import { number, t, type Key } from "../../i18n";
import { StatusChip, type Status } from "../../parts/chip";
import { Dialog } from "../../parts/dialog";
import { ProblemNote } from "../../parts/states";
import { doLater, tell, tellProblem } from "../../shell/toasts";
import { refreshAll } from "../../state/polling";
import { clear, statuses } from "./choice";
import { start } from "./jobs";

type Counted = components["schemas"]["BulkDocument"];
export type Action = "pause" | "resume" | "retry" | "cancel" | "delete";
export const ACTIONS: Action[] = ["pause", "resume", "retry", "cancel", "delete"];

/** Shorter than the addresses that proxies take. */
const IDS = 200;
const PAGE = 500;
const MOST_EXPECTED = 100_000;

export interface Scope {
  /** All that match these, or the tasks of `ids`. */
  filters: URLSearchParams;
  ids: number[] | null;
}

interface Blast {
  by: Map<Status, number>;
  to: Map<Status, string[]>;
  isExact: boolean;
}

/** Which tasks will be what, before anything happens to them. */
export function BlastRadius({ action, scope, onClose }: { action: Action; scope: Scope; onClose: () => void }) {
  const [blast, setBlast] = useState<Blast | Problem | null>(null);
  const look = () => {
    setBlast(null);
    void count(action, scope).then(setBlast, (error) => {
      if (!(error instanceof Problem)) throw error;
      setBlast(error);
    });
  };
  useEffect(look, []);
  const verb = t(`tasks.${action}` as Key);
  if (blast === null || blast instanceof Problem) {
    return (
      <Dialog title={verb} onClose={onClose}>
        {blast ? <ProblemNote problem={blast} onRetry={look} /> : <p aria-busy="true">{t("tasks.looking")}</p>}
      </Dialog>
    );
  }
  const moved = [...blast.by].filter(([status]) => blast.to.has(status));
  const stay = [...blast.by].filter(([status]) => !blast.to.has(status));
  const changes = sum(moved);
  const n = blast.isExact ? number(changes) : t("tasks.at_least", { n: changes });
  const isDangerous = action === "cancel" || action === "delete";
  const act = () => {
    onClose();
    const run = () => begin(action, scope, blast, changes);
    if (isDangerous) doLater(t(`tasks.later.${action}` as Key, { n }), run);
    else run();
  };
  return (
    <Dialog
      title={verb}
      onClose={onClose}
      closeLabel={t("tasks.leave")}
      actions={
        changes > 0 && (
          <button type="button" class={isDangerous ? "danger" : "main"} onClick={act}>
            {t("tasks.do", { verb, n })}
          </button>
        )
      }
    >
      {changes === 0 && <p>{t("tasks.nothing_changes")}</p>}
      <table class="blast">
        <tbody>
          {[...moved, ...stay].map(([status, count]) => {
            const to = blast.to.get(status);
            return (
              <tr key={status} class={to ? undefined : "quiet"}>
                <td class="number">{number(count)}</td>
                <td>
                  <StatusChip status={status} />
                </td>
                <td>
                  {to?.map((each, index) => (
                    <span key={each}>
                      {index ? ` ${t("tasks.or")} ` : "→ "}
                      {each === "deleted" ? t("tasks.deleted") : <StatusChip status={each as Status} />}
                    </span>
                  )) ?? t("tasks.stays")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {!blast.isExact && <p>{t("tasks.not_counted")}</p>}
    </Dialog>
  );
}

async function count(action: Action, scope: Scope): Promise<Blast> {
  const blast: Blast = { by: new Map(), to: new Map(), isExact: true };
  for (const part of partsOf(scope)) {
    const { document } = await act(action, part, { dry_run: "true" });
    for (const [status, n] of Object.entries(document.by_status ?? {}) as [Status, number][])
      blast.by.set(status, (blast.by.get(status) ?? 0) + n);
    for (const [status, to] of Object.entries(document.to ?? {})) blast.to.set(status as Status, to);
    blast.isExact &&= document.is_exact ?? true;
  }
  return blast;
}

function begin(action: Action, scope: Scope, blast: Blast, changes: number): void {
  clear();
  const from = [...blast.to.keys()];
  const parts = partsOf(scope);
  // What stays need not be gone through; where not all was counted, more statuses may come.
  if (blast.isExact) for (const part of parts) (part.delete("status"), from.forEach((s) => part.append("status", s)));
  const ids = scope.ids?.filter((id) => blast.to.has(statuses.get(id)!)) ?? [];
  let at = 0;
  let left = blast.isExact ? changes : Infinity;
  let after: string | null = null;
  let changed = 0;
  let isFirst = true;
  start({
    title: t(`tasks.${action}` as Key),
    total: blast.isExact ? changes : null,
    step: async () => {
      const options: Record<string, string> = { limit: String(Math.min(PAGE, left)) };
      if (after !== null) options.after = after;
      // Counted once; from then on no more are acted on than were shown.
      if (isFirst && scope.ids === null && left <= MOST_EXPECTED) options.expect_at_most = String(left);
      const { document } = await act(action, parts[at]!, options);
      isFirst = false;
      left -= document.matched;
      changed += document.changed;
      after = document.next;
      if (after === null) at++;
      return { count: document.matched, isMore: left > 0 && at < parts.length };
    },
    atEnd: () => {
      const back = ({ pause: "resume", resume: "pause" } as Record<Action, Action | undefined>)[action];
      tell(
        t(`tasks.done.${action}` as Key, { n: changed }),
        back && ids.length ? { undo: () => void undo(back, ids).catch(tellProblem) } : {},
      );
      void refreshAll();
    },
  });
}

async function undo(action: Action, ids: number[]): Promise<void> {
  const scope: Scope = { filters: new URLSearchParams(), ids };
  const blast = await count(action, scope);
  const changes = sum([...blast.by].filter(([status]) => blast.to.has(status)));
  if (changes > 0) begin(action, scope, blast, changes);
}

function partsOf({ filters, ids }: Scope): URLSearchParams[] {
  if (ids === null) return [new URLSearchParams(filters)];
  const parts: URLSearchParams[] = [];
  for (let at = 0; at < ids.length; at += IDS)
    parts.push(new URLSearchParams(ids.slice(at, at + IDS).map((id) => ["id", String(id)])));
  return parts;
}

function act(action: Action, filters: URLSearchParams, options: Record<string, string>) {
  return send<Counted>("POST", `/admin/tasks/${action}?${filters}&${new URLSearchParams(options)}`);
}

function sum(counts: [Status, number][]): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}
