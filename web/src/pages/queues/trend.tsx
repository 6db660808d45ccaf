import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "../../api/client";
import { number, t } from "../../i18n";
import { Sparkline } from "../../parts/sparkline";
import { useResource } from "../../state/polling";

/** One call a queue: so only for those on the screen, and not again for so long. */
const FRESH_SECONDS = 600;
/** Those that came together are asked for again one after the other. */
const APART_SECONDS = 15;
const TURNS = 40;

let turns = 0;
const known = new Map<string, { at: number; values: number[] }>();

/** What a queue has got done in the last hour, once it can be seen. */
export function Trend({ queue }: { queue: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver(([entry]) => setSeen(entry!.isIntersecting));
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, []);
  return (
    <span class="trend" ref={place}>
      {isSeen && <Curve queue={queue} />}
    </span>
  );
}

function Curve({ queue }: { queue: string }) {
  const [turn] = useState(() => turns++ % TURNS);
  const { data } = useResource(`trend ${queue}`, (signal) => doneOf(queue, signal), {
    everySeconds: FRESH_SECONDS + turn * APART_SECONDS,
  }).state.value;
  if (!data) return null;
  const done = data.reduce((sum, each) => sum + each, 0);
  return <Sparkline values={data} label={t("queues.trend_of", { n: number(done) })} />;
}

async function doneOf(queue: string, signal: AbortSignal): Promise<number[]> {
  const last = known.get(queue);
  if (last && performance.now() - last.at < FRESH_SECONDS * 1000) return last.values;
  const { document } = await get("/stats/history", { query: { queue, minutes: 60 }, signal });
  const values = document.buckets.filter((each) => each.is_complete).map((each) => each.done);
  known.set(queue, { at: performance.now(), values });
  return values;
}
