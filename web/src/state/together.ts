// Several answers that are shown as one: with one note of what went wrong, and one age.
import type { Signal } from "@preact/signals";

import type { Resource, State } from "./polling";

type All<T extends unknown[]> = { [K in keyof T]: Resource<T[K]> };

/** To be called while rendering. It has data once all of them have. */
export function together<T extends unknown[]>(...resources: All<T>): Resource<T> {
  const states = resources.map((each) => each.state.value as State<unknown>);
  const isThere = states.every((state) => state.data !== null);
  const value: State<T> = {
    data: isThere ? (states.map((state) => state.data) as T) : null,
    at: isThere ? Math.min(...states.map((state) => state.at ?? Infinity)) : null,
    problem: states.find((state) => state.problem !== null)?.problem ?? null,
    isLoading: states.some((state) => state.isLoading),
  };
  const refresh = async () => {
    await Promise.all(resources.map((each) => each.refresh()));
  };
  return { state: { value } as Signal<State<T>>, refresh };
}
