import { useEffect, useState } from "preact/hooks";

import { get, send, type Answer, type Document } from "../../api/client";
import { t } from "../../i18n";
import { Loaded } from "../../parts/states";
import { useResource } from "../../state/polling";
import { together } from "../../state/together";
import { Graph } from "./graph";
import type { Task } from "./path";

export type Relatives = Document<"/tasks/{task_id}/dependencies">;
export type Direction = "parents" | "children";
type Page = Answer<Relatives>;

/** What is shown of a side: the first few, then more of them, then page by page. */
export interface Side {
  direction: Direction;
  relatives: Relatives;
  /** Undefined where there is no more. */
  onMore: (() => void) | undefined;
  /** Undefined where they are the first. */
  onFirst: (() => void) | undefined;
}

const LIMITS = [8, 100, 1000] as const;
/** Seen beside another task: they have relatives for sure. */
const related = new Set<number>();

/** Whether it surely depends on one, or one on it. A task does not say so, and most have none. */
export function isRelated({ id, waiting_on, error }: Task): boolean {
  return waiting_on === "tasks" || /^dependency \d+ /.test(error ?? "") || related.has(id);
}

/** What it depends on and what depends on it; asked for while it is open. */
export function RelativesSection({ task, isOpenAtFirst }: { task: Task; isOpenAtFirst: boolean }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  return (
    <section class="relatives">
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2>{t("task.relatives")}</h2>
        </summary>
        {isOpen && <Both task={task} />}
      </details>
    </section>
  );
}

function Both({ task }: { task: Task }) {
  const isEnded = ["done", "failed", "cancelled"].includes(task.status);
  const parents = useSide(task, "parents", true);
  const children = useSide(task, "children", isEnded);
  return (
    <Loaded resource={together(parents.resource, children.resource)}>
      {([before, after]) => <Graph task={task} parents={parents.side(before)} children={children.side(after)} />}
    </Loaded>
  );
}

/** Asked for as long as one of them may still end; if `mayRest`, then only when the task changes. */
function useSide({ id, updated_at }: Task, direction: Direction, mayRest: boolean) {
  const [step, setStep] = useState(0);
  const [address, setAddress] = useState<string | null>(null);
  const [hasEnded, setEnded] = useState(false);
  const rests = mayRest && hasEnded;
  const limit = LIMITS[step]!;
  const resource = useResource<Page>(
    `${direction} ${id} ${limit} ${address ?? ""} ${rests ? updated_at : ""}`,
    (signal) =>
      address
        ? send<Relatives>("GET", address, { signal })
        : get("/tasks/{task_id}/dependencies", { path: { task_id: id }, query: { direction, limit }, signal }),
    { everySeconds: rests ? Infinity : 0, keepsOld: true },
  );
  const { data } = resource.state.value;
  useEffect(() => {
    for (const task of data?.document.tasks ?? []) related.add(task.id);
    if (data) setEnded(data.document.unmet === 0);
  }, [data]);
  const side = ({ document, next }: Page): Side => ({
    direction,
    relatives: document,
    onMore: next ? () => (step + 1 < LIMITS.length ? setStep(step + 1) : setAddress(next)) : undefined,
    onFirst: address ? () => setAddress(null) : undefined,
  });
  return { resource, side };
}
