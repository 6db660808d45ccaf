import { t } from "../../i18n";
import { opens } from "../../state/session";
import type { Stored } from "./settings";

export const RATES = ["rate", "rate_per_group"] as const;
const PARTS = ["limit", "per_seconds", "burst"] as const;

/** The fields of the queue's rates. */
export function RateFields({ stored }: { stored: Stored }) {
  return RATES.map((rate) => (
    <fieldset class="row" disabled={!opens("admin")} key={rate}>
      {PARTS.map((part) => (
        <label key={part}>
          {t(`queues.${rate}_${part}`)}
          <input name={`${rate}.${part}`} type="number" min="1" defaultValue={stored[rate]?.[part] ?? ""} />
        </label>
      ))}
    </fieldset>
  ));
}

/** What was typed there. What a rate lacks the server says. */
export function ratesOf(typed: FormData) {
  return Object.fromEntries(
    RATES.map((rate) => {
      const filled = PARTS.filter((part) => typed.get(`${rate}.${part}`) !== "");
      const found = filled.map((part) => [part, Number(typed.get(`${rate}.${part}`))]);
      return [rate, found.length ? Object.fromEntries(found) : null];
    }),
  );
}
