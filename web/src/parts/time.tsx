import { distance, localTime, span } from "../i18n";
import { now } from "../state/clock";

const FULL: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "medium" };

interface Props {
  /** As the API writes it; null shows a dash. */
  at: string | null | undefined;
  /** As a distance from now ("3 min ago"), or as date and time. */
  as?: "distance" | "moment";
}

/** A moment: local, with UTC in the tooltip, counted from MySQL's clock. */
export function Time({ at, as = "distance" }: Props) {
  if (!at) return <span class="quiet">–</span>;
  const moment = new Date(at);
  const local = localTime(moment, FULL);
  const shown = as === "moment" ? local : distance((moment.getTime() - now.value) / 1000);
  const utc = `${moment.toISOString().replace("T", " ").replace("Z", "")} UTC`;
  return (
    <time dateTime={at} title={as === "moment" ? utc : `${local}\n${utc}`}>
      {shown}
    </time>
  );
}

/** How long something takes or took. */
export function Span({ seconds }: { seconds: number | null | undefined }) {
  if (seconds === null || seconds === undefined) return <span class="quiet">–</span>;
  return <span title={`${seconds} s`}>{span(seconds)}</span>;
}
