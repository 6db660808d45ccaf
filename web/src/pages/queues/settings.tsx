import { useState } from "preact/hooks";

import { call, get, Problem, type Document } from "../../api/client";
import { t } from "../../i18n";
import { priorityText, type Priority } from "../../parts/chip";
import { Loaded } from "../../parts/states";
import { Time } from "../../parts/time";
import { now } from "../../state/clock";
import { useResource } from "../../state/polling";
import { opens } from "../../state/session";
import { tell, tellProblem } from "../../shell/toasts";
import { RateFields, ratesOf } from "./rates";

export type Stored = Document<"/admin/queues/{name}/settings">;

const AGEING: Priority[] = ["中", "低"];
const LIMITS = ["running", "running_per_group"] as const;

/** What is set for the queue. */
export function Settings({ queue }: { queue: string }) {
  const settings = useResource(
    `settings of ${queue}`,
    async (signal) =>
      (await get("/admin/queues/{name}/settings", { path: { name: queue }, signal })).document,
    { everySeconds: 60 },
  );
  return (
    <section>
      <h2>{t("queues.settings")}</h2>
      <Loaded resource={settings}>
        {(stored) => (
          // What a person has typed stays until what is stored is something else.
          <Form key={JSON.stringify({ ...stored, in_force_at: null })} stored={stored} onSaved={settings.refresh} />
        )}
      </Loaded>
    </section>
  );
}

function Form({ stored, onSaved }: { stored: Stored; onSaved: () => Promise<void> }) {
  const [wrong, setWrong] = useState<string[]>([]);
  const { queue, in_force_at, ...others } = stored;
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget as HTMLFormElement);
    const filled = AGEING.filter((each) => typed.get(each) !== "");
    const ages = Object.fromEntries(filled.map((each) => [each, Number(typed.get(each))]));
    const limits = Object.fromEntries(
      LIMITS.map((each) => [each, typed.get(each) === "" ? null : Number(typed.get(each))]),
    );
    setWrong([]);
    try {
      await call("put", "/admin/queues/{name}/settings", {
        path: { name: queue },
        // What this page does not show stays as it is.
        body: {
          ...others,
          ...limits,
          ...ratesOf(typed),
          fair: typed.has("fair"),
          ageing_seconds: filled.length ? ages : null,
        },
      });
    } catch (error) {
      if (!(error instanceof Problem) || error.fields.length === 0) return tellProblem(error);
      return setWrong(error.fields.map(({ field, message }) => `${field}: ${message}`));
    }
    tell(t("queues.saved", { queue }));
    await onSaved();
  };
  return (
    <form class="card wide" onSubmit={(event) => void save(event)}>
      <p class="quiet">{t("queues.ageing_about")}</p>
      <fieldset class="row" disabled={!opens("admin")}>
        {AGEING.map((priority) => (
          <label key={priority}>
            {t("queues.ageing", { priority: priorityText(priority) })}
            <input
              name={priority}
              type="number"
              min="0"
              defaultValue={stored.ageing_seconds?.[priority] ?? ""}
            />
          </label>
        ))}
      </fieldset>
      <p class="quiet">{t("queues.limits_about")}</p>
      <fieldset class="row" disabled={!opens("admin")}>
        {LIMITS.map((each) => (
          <label key={each}>
            {t(`queues.${each}`)}
            <input name={each} type="number" min="1" defaultValue={stored[each] ?? ""} />
          </label>
        ))}
      </fieldset>
      <p class="quiet">{t("queues.rates_about")}</p>
      <RateFields stored={stored} />
      <fieldset class="row" disabled={!opens("admin")}>
        <label class="choice">
          <input name="fair" type="checkbox" defaultChecked={stored.fair} />
          {t("queues.fair")}
        </label>
        {opens("admin") && <button type="submit">{t("queues.save")}</button>}
      </fieldset>
      {wrong.map((each) => (
        <p class="note bad" role="alert" key={each}>
          {each}
        </p>
      ))}
      <p class="quiet">
        {in_force_at === null ? (
          t("queues.never_set")
        ) : (
          <>
            {t(Date.parse(in_force_at) > now.value ? "queues.will_be_in_force" : "queues.in_force")}{" "}
            <Time at={in_force_at} />
          </>
        )}
      </p>
    </form>
  );
}
