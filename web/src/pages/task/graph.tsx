import type { ComponentChildren } from "preact";

import { t } from "../../i18n";
import { Chip, StatusChip, type Status } from "../../parts/chip";
import { hash } from "../../state/location";
import type { Task } from "./path";
import type { Relatives, Side } from "./relatives";

/** From one to the next below it, as `.graph li` has it, and between the columns. */
const [STEP, GAP] = [60, 56];
/** With more than so many the task stands beside the first ones, not in the middle. */
const MANY = 12;

/** The task between what it depends on and what depends on it: a list each, with lines drawn. */
export function Graph({ task, parents, children }: { task: Task; parents: Side; children: Side }) {
  const isLong = Math.max(rowsOf(parents), rowsOf(children)) > MANY;
  const ended = ["done", "failed", "cancelled"];
  const isEnded = ended.includes(task.status);
  return (
    <div class={isLong ? "graph long" : "graph"}>
      <Relations side={parents} isDone={({ status }) => ended.includes(status)} isLong={isLong} />
      <div class="node here" aria-current="true">
        <Node {...task} name={children.relatives.tasks[0]?.name ?? null} />
      </div>
      <Relations side={children} isDone={() => isEnded} isLong={isLong} />
    </div>
  );
}

interface Relation {
  id: number;
  name: string | null;
  title: string;
  status: Status;
}

interface Props {
  side: Side;
  /** Whether what is waited for has come; until then its line is dashed. */
  isDone: (relation: Relation) => boolean;
  isLong: boolean;
}

function Relations({ side, isDone, isLong }: Props) {
  const { direction, relatives, onMore, onFirst } = side;
  const { total, tasks } = relatives;
  const name = t(`task.${direction}`, { n: total });
  return (
    <>
      <div class={`head ${direction}`}>
        <h3>{name}</h3>
        <Counts relatives={relatives} />
      </div>
      {rowsOf(side) > 0 && (
        <>
          <ul class={direction} aria-label={name}>
            {tasks.map((each) => (
              <li key={each.id} class={isDone(each) ? undefined : "awaited"}>
                <a class="node" href={hash(`/tasks/${each.id}`)}>
                  {/* A child's name would be the one that this task had in their batch. */}
                  <Node {...each} name={direction === "parents" ? each.name : null} />
                </a>
              </li>
            ))}
            {(onMore || onFirst) && (
              <li class="more" key="more">
                {onFirst && (
                  <button type="button" onClick={onFirst}>
                    {t("task.first_relatives")}
                  </button>
                )}
                {onMore && (
                  <button type="button" onClick={onMore}>
                    {t("task.more_relatives", { n: total - tasks.length })}
                  </button>
                )}
              </li>
            )}
          </ul>
          <Lines side={side} isDone={isDone} isLong={isLong} />
        </>
      )}
    </>
  );
}

function Node({ id, name, title, status }: Relation) {
  return (
    <>
      <strong title={title}>{title}</strong>
      <span class="row">
        <StatusChip status={status} /> <span class="quiet">#{id}</span>{" "}
        {name !== null && <span class="quiet cut">{name}</span>}
      </span>
    </>
  );
}

function Counts({ relatives: { total, unmet, done, failed, cancelled } }: { relatives: Relatives }) {
  const said: [number, ComponentChildren][] = [
    [unmet, <Chip tone="info">{t("task.unmet", { n: unmet })}</Chip>],
    [done, <Chip tone="good">{t("task.counted", { status: t("status.done"), n: done })}</Chip>],
    [failed, <Chip tone="bad">{t("task.counted", { status: t("status.failed"), n: failed })}</Chip>],
    [cancelled, <Chip tone="off">{t("task.counted", { status: t("status.cancelled"), n: cancelled })}</Chip>],
  ];
  return total > 0 ? <p class="row counts">{said.map(([n, chip]) => n > 0 && chip)}</p> : null;
}

/** The list says it all to whoever does not see them. */
function Lines({ side, isDone, isLong }: Props) {
  const { direction, relatives } = side;
  const height = rowsOf(side) * STEP;
  const middle = isLong ? STEP / 2 : height / 2;
  const [from, to] = direction === "parents" ? [0, GAP - 5] : [GAP - 5, 0];
  const head = (y: number) => <path class="head" d={`M${GAP} ${y}l-7 -4v8z`} />;
  return (
    <svg class={`lines ${direction}`} width={GAP} height={height} viewBox={`0 0 ${GAP} ${height}`} aria-hidden="true">
      {Array.from({ length: rowsOf(side) }, (_, row) => {
        const y = (row + 0.5) * STEP;
        const each = relatives.tasks[row];
        return (
          <path
            key={row}
            class={!each || !isDone(each) ? "awaited" : undefined}
            d={`M${from} ${y}C${GAP / 2} ${y} ${GAP / 2} ${middle} ${to} ${middle}`}
          />
        );
      })}
      {direction === "parents" ? head(middle) : relatives.tasks.map((_, row) => head((row + 0.5) * STEP))}
    </svg>
  );
}

function rowsOf({ relatives, onMore, onFirst }: Side): number {
  return relatives.tasks.length + Number(Boolean(onMore || onFirst));
}
