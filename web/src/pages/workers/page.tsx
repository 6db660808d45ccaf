import { get } from "../../api/client";
import { t } from "../../i18n";
import { Overseen } from "../../parts/overseen";
import { Pager } from "../../parts/pager";
import { Empty, Loaded } from "../../parts/states";
import { location, refine } from "../../state/location";
import { useResource } from "../../state/polling";
import { OneWorker } from "./one";
import { WorkerTable } from "./table";

/** As long as it takes a worker to be called silent. */
const SILENT_SECONDS = 90;

export function Workers({ rest }: { rest: string }) {
  return <Overseen>{rest ? <OneWorker name={decoded(rest)} /> : <AllWorkers />}</Overseen>;
}

function AllWorkers() {
  const { query } = location.value;
  const cursor = query.get("cursor");
  const isOfNow = query.has("now");
  const workers = useResource(
    `workers ${cursor} ${isOfNow}`,
    (signal) => {
      const asked = {
        ...(cursor && { cursor }),
        ...(isOfNow && { seen_within_seconds: SILENT_SECONDS }),
      };
      return get("/admin/workers", { query: asked, signal });
    },
    { keepsOld: true },
  );
  return (
    <>
      <label class="row finder">
        <input
          type="checkbox"
          checked={isOfNow}
          onChange={() => refine({ now: isOfNow ? null : "1", cursor: null })}
        />
        {t("workers.only_now")}
      </label>
      <Loaded resource={workers}>
        {({ document, next }) => (
          <section>
            {document.length ? (
              <WorkerTable workers={document} />
            ) : (
              <Empty isFiltered={isOfNow} onClear={() => refine({ now: null })}>
                <p>{t("workers.none")}</p>
                <pre tabIndex={0}>rowlock worker --handlers module:worker</pre>
              </Empty>
            )}
            <Pager next={next} />
          </section>
        )}
      </Loaded>
    </>
  );
}

/** A name may have any character; what somebody typed into the address may be anything. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
