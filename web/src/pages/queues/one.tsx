import { get } from "../../api/client";
import { t } from "../../i18n";
import { Chip } from "../../parts/chip";
import { Overseen } from "../../parts/overseen";
import { Empty, Loaded } from "../../parts/states";
import { Time } from "../../parts/time";
import { hash } from "../../state/location";
import { useResource } from "../../state/polling";
import { Curves } from "./curves";
import { Groups } from "./groups";
import { HeadOfLine } from "./head_of_line";
import { Matrix } from "./matrix";
import { PauseButton } from "./pausing";
import { Serving } from "./serving";
import { Settings } from "./settings";

/** All there is to say of a queue. */
export function OneQueue({ name }: { name: string }) {
  const stats = useResource(`stats of ${name}`, (signal) =>
    get("/stats", { query: { queue: [name] }, signal }),
  );
  return (
    <Loaded resource={stats}>
      {({ document }) => {
        // A queue that has no tasks is not known to be one.
        const queue = document.queues[0] ?? null;
        return (
          <>
            <section class="row">
              <strong class="name">{name}</strong>
              {queue?.paused && (
                <Chip tone="off">
                  {t("status.paused")} <Time at={queue.paused_at} />
                </Chip>
              )}
              <PauseButton queue={name} isPaused={queue?.paused ?? false} />
              <a href={hash("/tasks", { queue: name })}>{t("queues.tasks")}</a>
              <a href={hash("/queues")}>{t("queues.all")}</a>
            </section>
            <Overseen>
              <Serving queue={name} isWaiting={(queue?.waiting ?? 0) > 0} />
            </Overseen>
            {queue ? (
              <>
                <Matrix queue={queue} />
                {queue.waiting > 0 && <HeadOfLine queue={queue} />}
              </>
            ) : (
              <section>
                <Empty>
                  <p>{t("queues.empty", { queue: name })}</p>
                </Empty>
              </section>
            )}
            <Overseen>
              <Groups queue={name} />
            </Overseen>
            <Curves queue={name} waiting={queue?.waiting ?? 0} />
            <Overseen>
              <Settings queue={name} />
            </Overseen>
          </>
        );
      }}
    </Loaded>
  );
}
