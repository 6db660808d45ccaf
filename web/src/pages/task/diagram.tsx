import { t, type Key } from "../../i18n";
import type { Status } from "../../parts/chip";
import { path, STEPS, type Attempt, type Step, type Task } from "./path";

const [WIDTH, HEIGHT] = [104, 32];
/** The middle of each. */
const PLACES: Record<Status, [x: number, y: number]> = {
  to_do: [76, 96],
  in_progress: [308, 96],
  done: [540, 28],
  failed: [540, 96],
  retrying: [308, 170],
  paused: [76, 170],
  cancelled: [308, 22],
};
/** Those that would run through another state. */
const ROUND: Record<string, string> = {
  "paused cancelled": "M24 162C-14 130 -14 22 256 22",
  "retrying cancelled": "M360 170C432 150 432 40 360 26",
  "failed to_do": "M540 112V204Q540 214 530 214H18Q8 214 8 204V106Q8 96 24 96",
};

/** The states, and the way that the task has taken through them. */
export function Diagram({ task, attempts }: { task: Task; attempts: Attempt[] }) {
  const steps = path(task, attempts);
  const name = (status: Status) => t(`status.${status}` as Key);
  const taken = (step: Step) => steps.filter(([a, b]) => a === step[0] && b === step[1]).length;
  const visited = new Set<Status>(["to_do", ...steps.map(([, to]) => to)]);
  const all = ["to_do" as Status, ...steps.map(([, to]) => to)];
  // What is read aloud: of a long way its beginning and end.
  const told = all.length > 12 ? [...all.slice(0, 4), null, ...all.slice(-6)] : all;
  const label = told.map((status) => (status ? name(status) : "…")).join(" → ");
  // Those that were taken last, so that they lie above the others.
  const drawn = [...STEPS].sort((a, b) => Math.sign(taken(a)) - Math.sign(taken(b)));
  return (
    <div class="diagram" tabIndex={0} role="group" aria-label={t("task.path")}>
      <svg viewBox="0 0 600 222" role="img" aria-label={label}>
        {["step", "taken"].map((kind) => (
          <marker id={`arrow-${kind}`} key={kind} class={kind} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0L8 4L0 8Z" />
          </marker>
        ))}
        {drawn.map((step) => {
          const kind = taken(step) ? "taken" : "step";
          return (
            <path key={step.join(" ")} data-step={step.join(" ")} class={kind} d={lineOf(step)} marker-end={`url(#arrow-${kind})`}>
              <title>
                {`${name(step[0])} → ${name(step[1])}`}
                {taken(step) > 1 && ` × ${taken(step)}`}
              </title>
            </path>
          );
        })}
        {(Object.keys(PLACES) as Status[]).map((status) => {
          const [x, y] = PLACES[status];
          const kind = status === task.status ? "here" : visited.has(status) ? "visited" : "";
          return (
            <g key={status} class={`state ${kind}`} data-state={status}>
              <rect x={x - WIDTH / 2} y={y - HEIGHT / 2} width={WIDTH} height={HEIGHT} rx="8" />
              <text x={x} y={y + 4.5}>{name(status)}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** From edge to edge; of two that lead to and fro each keeps to its side. */
function lineOf([from, to]: Step): string {
  const round = ROUND[`${from} ${to}`];
  if (round) return round;
  const [[x1, y1], [x2, y2]] = [PLACES[from], PLACES[to]];
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy);
  const [sx, sy] = [(-dy / length) * 6, (dx / length) * 6];
  // How much of the line is within a box: as far as its nearer side.
  const inside = Math.min(WIDTH / 2 / Math.abs(dx || 1e-9), HEIGHT / 2 / Math.abs(dy || 1e-9));
  const at = (share: number) => `${(x1 + dx * share + sx).toFixed(1)} ${(y1 + dy * share + sy).toFixed(1)}`;
  return `M${at(inside)}L${at(1 - inside)}`;
}
