// What only the admin and the viewer door show.
import type { ComponentChildren } from "preact";

import { t } from "../i18n";
import { useResource, type Resource } from "../state/polling";
import { oversees } from "../state/session";

/** As `useResource`; without such a token nothing is asked for, and the data is null. */
export function useOverseen<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  everySeconds: number,
): Resource<T | null> {
  const may = oversees();
  return useResource<T | null>(key, may ? load : () => Promise.resolve(null), {
    everySeconds: may ? everySeconds : Infinity,
  });
}

/** The children, or which token they need. */
export function Overseen({ children }: { children: ComponentChildren }) {
  return oversees() ? <>{children}</> : <p class="note off">{t("problem.needs_door", { door: "viewer" })}</p>;
}
