import { get } from "../../api/client";
import { t } from "../../i18n";
import { Loaded } from "../../parts/states";
import { Time } from "../../parts/time";
import { now } from "../../state/clock";
import { useResource } from "../../state/polling";
import { Findings, Fixes } from "./findings";
import { Processes, Sweeps } from "./processes";
import { Promise201 } from "./promise";

/** What Rowlock runs on: what is to be put right, with the fix; and who is at work. */
export function System() {
  const doctor = useResource(
    "doctor",
    async (signal) => {
      const { findings, age_seconds: age } = (await get("/admin/doctor", { signal })).document;
      return { findings, at: new Date(now.peek() - age * 1000).toISOString() };
    },
    { everySeconds: 15 },
  );
  const processes = useResource("processes", (signal) => get("/admin/processes", { signal }));
  return (
    <>
      <Loaded resource={doctor}>
        {({ findings, at }) => (
          <>
            <Fixes findings={findings} />
            <section>
              <h2>
                {t("system.promise")}{" "}
                <small>
                  {t("system.examined")} <Time at={at} />
                </small>
              </h2>
              <Promise201 findings={findings} />
            </section>
            <section>
              <h2>{t("system.findings")}</h2>
              <Findings findings={findings} />
            </section>
          </>
        )}
      </Loaded>
      <Loaded resource={processes}>
        {({ document }) => (
          <>
            <Processes processes={document.processes} />
            <Sweeps sweeps={document.sweeps} />
          </>
        )}
      </Loaded>
    </>
  );
}
