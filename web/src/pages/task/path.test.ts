import assert from "node:assert/strict";
import { test } from "node:test";

import { path, STEPS } from "./path.ts";

type Case = [status: string, retries: number, outcomes: (string | null)[], way: string];

const CASES: Case[] = [
  ["to_do", 0, [], "to_do"],
  ["paused", 0, [], "to_do paused"],
  ["cancelled", 0, [], "to_do cancelled"],
  ["in_progress", 0, [null], "to_do in_progress"],
  ["done", 0, ["done"], "to_do in_progress done"],
  ["to_do", 0, ["released"], "to_do in_progress to_do"],
  ["done", 1, ["lost", "done"], "to_do in_progress retrying in_progress done"],
  ["failed", 1, ["failed", "timed_out"], "to_do in_progress retrying in_progress failed"],
  ["paused", 1, ["failed"], "to_do in_progress retrying paused"],
  ["cancelled", 0, ["cancelled"], "to_do in_progress cancelled"],
  ["to_do", 0, ["cancelled"], "to_do in_progress cancelled to_do"],
  ["to_do", 0, ["failed"], "to_do in_progress failed to_do"],
  ["done", 0, ["failed", "done"], "to_do in_progress failed to_do in_progress done"],
  ["to_do", 0, ["failed", "cancelled"], "to_do in_progress retrying in_progress cancelled to_do"],
  ["paused", 0, ["failed"], "to_do in_progress failed to_do paused"],
];

for (const [status, retries, outcomes, way] of CASES) {
  test(`${status} after ${outcomes.join(", ") || "nothing"}`, () => {
    const task = { status, current_retry_count: retries } as Parameters<typeof path>[0];
    const steps = path(task, outcomes.map((outcome) => ({ outcome })) as Parameters<typeof path>[1]);
    assert.equal(["to_do", ...steps.map(([, to]) => to)].join(" "), way);
    for (const step of steps) {
      assert.ok(STEPS.some(([a, b]) => a === step[0] && b === step[1]), String(step));
    }
  });
}
