// Pages whose code is loaded after the first one's.
import { signal } from "@preact/signals";
import { h } from "preact";
import { useEffect } from "preact/hooks";

import { Problem } from "../api/client";
import { Placeholder, ProblemNote } from "../parts/states";

type Others = typeof import("./others");

const others = signal<Others | null>(null);
const problem = signal<Problem | null>(null);

/** Load them, if they are not there yet. */
export async function loadOthers(): Promise<void> {
  problem.value = null;
  try {
    others.value ??= await import("./others");
  } catch {
    problem.value = new Problem(0);
  }
}

/** One of them, which waits for its code. */
export function later(name: keyof Others) {
  return function Later(props: { rest: string }) {
    useEffect(() => void loadOthers(), []);
    if (others.value) return h(others.value[name], props);
    return problem.value ? <ProblemNote problem={problem.value} onRetry={loadOthers} /> : <Placeholder />;
  };
}
