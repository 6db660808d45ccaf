import { useSignal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";

import { get, Problem, send, type Document } from "../../api/client";
import { t } from "../../i18n";
import { Loaded, ProblemNote } from "../../parts/states";
import { TaskFields } from "../../parts/task_fields";
import { bodyOf, faultsIn, faultsOf, NAMES, valuesOf, type Faults } from "../../parts/task_form";
import { announce } from "../../shell/live_region";
import { hash, location } from "../../state/location";
import { useResource } from "../../state/polling";
import { opens } from "../../state/session";

type Task = Document<"/tasks/{task_id}">;

/** A task to submit: a new one, or with `?from=7` a copy of one to be changed. */
export function Submit() {
  const from = location.value.query.get("from");
  if (!opens("client")) return <p class="note warn">{t("problem.needs_door", { door: "client" })}</p>;
  return from ? <Copy id={from} key={from} /> : <Form key="" />;
}

function Copy({ id }: { id: string }) {
  const task = useResource(
    `template ${id}`,
    async (signal) => (await get("/tasks/{task_id}", { path: { task_id: id as never }, signal })).document,
    { everySeconds: Infinity },
  );
  return <Loaded resource={task}>{(found) => <Form template={found} />}</Loaded>;
}

function Form({ template }: { template?: Task }) {
  const first = () => valuesOf(template && { ...template, available_at: null });
  const values = useSignal(first());
  // One for each form: whatever is sent twice, or anew after an answer that was lost, is one task.
  const key = useRef(newKey());
  const isUnderWay = useRef(false);
  const isSent = useRef(false);
  const [isBusy, setBusy] = useState(false);
  const [faults, setFaults] = useState<Faults>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [made, setMade] = useState<Task | null>(null);
  const [isHeld, setHeld] = useState(false);

  const submit = async () => {
    if (isUnderWay.current) return;
    const found = faultsOf(values.value, NAMES);
    setFaults(found);
    setProblem(null);
    if (Object.keys(found).length) return;
    isUnderWay.current = true;
    setBusy(true);
    try {
      const body = bodyOf(values.value, NAMES, true);
      const headers = { "Idempotency-Key": key.current };
      // Of a call that is sent again, 200 may be about what it has stored itself.
      const isFirst = !isSent.current;
      isSent.current = true;
      const { document, status } = await send<Task>("POST", "/tasks", { body, headers });
      const isOther = isFirst && status === 200;
      setHeld(isOther);
      setMade(document);
      announce(t(isOther ? "submit.held" : "submit.made", { id: String(document.id) }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const byField = faultsIn(error);
      setFaults(byField);
      if (!Object.keys(byField).length) setProblem(error);
    } finally {
      isUnderWay.current = false;
      setBusy(false);
    }
  };
  const another = () => {
    key.current = newKey();
    isSent.current = false;
    values.value = first();
    setMade(null);
    setFaults({});
    setProblem(null);
  };

  if (made) {
    return (
      <div class="note good" role="status">
        <p>
          <a href={hash(`/tasks/${made.id}`)}>{t(isHeld ? "submit.held" : "submit.made", { id: String(made.id) })}</a> {made.title}
        </p>
        <button type="button" onClick={another}>
          {t("submit.another")}
        </button>
      </div>
    );
  }
  const isReused = String(problem?.facts.type).endsWith("idempotency-key-reused");
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {template && (
        <p class="quiet">
          {t("submit.from")} <a href={hash(`/tasks/${template.id}`)}>#{template.id}</a>
        </p>
      )}
      <TaskFields names={NAMES} values={values} faults={faults} />
      {isReused ? (
        <div class="note warn" role="alert">
          <p>{t("submit.reused")}</p>
          <button
            type="button"
            onClick={() => {
              key.current = newKey();
              isSent.current = false;
              void submit();
            }}
          >
            {t("submit.anyway")}
          </button>
        </div>
      ) : (
        problem && <ProblemNote problem={problem} onRetry={submit} />
      )}
      <p class="row">
        <button type="submit" class="main" disabled={isBusy}>
          {t("submit.submit")}
        </button>
        <button type="button" class="plain" onClick={another}>
          {t("submit.clear")}
        </button>
      </p>
    </form>
  );
}

function newKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return `page-${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
