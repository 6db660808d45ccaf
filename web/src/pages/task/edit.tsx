import { useSignal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";

import { Problem, send } from "../../api/client";
import { t } from "../../i18n";
import { ProblemNote } from "../../parts/states";
import { TaskFields } from "../../parts/task_fields";
import { bodyOf, editable, faultsIn, faultsOf, valuesOf, type Faults } from "../../parts/task_form";
import { tell } from "../../shell/toasts";
import { refreshAll } from "../../state/polling";
import { tellRefusal } from "./actions";
import type { Task } from "./path";

/** What may be changed of a task as it stands; only what was changed is sent. */
export function Edit({ task, onClose }: { task: Task; onClose: () => void }) {
  const first = useRef(valuesOf(task)).current;
  const values = useSignal(first);
  const [faults, setFaults] = useState<Faults>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const names = editable(task);

  const save = async () => {
    const changed = names.filter((name) => values.value[name] !== first[name]);
    const found = faultsOf(values.value, changed);
    setFaults(found);
    setProblem(null);
    if (Object.keys(found).length) return;
    if (!changed.length) return onClose();
    setBusy(true);
    try {
      await send("PATCH", `/tasks/${task.id}`, { body: bodyOf(values.value, changed, false) });
      tell(t("task.saved", { id: String(task.id) }));
      onClose();
      await refreshAll();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const byField = faultsIn(error);
      setFaults(byField);
      if (error.facts.task_status) {
        tellRefusal(error);
        await refreshAll();
      } else if (!Object.keys(byField).length) setProblem(error);
    }
    setBusy(false);
  };

  return (
    <form
      noValidate
      class="edit"
      aria-label={t("task.edit")}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) void save();
      }}
    >
      <TaskFields names={names} values={values} faults={faults} />
      {problem && <ProblemNote problem={problem} />}
      <p class="row">
        <button type="submit" class="main" disabled={isBusy}>
          {t("task.save")}
        </button>
        <button type="button" onClick={onClose}>
          {t("action.cancel")}
        </button>
      </p>
    </form>
  );
}
