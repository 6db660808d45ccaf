import assert from "node:assert/strict";
import { test } from "node:test";

import { diff } from "./diff.ts";

const shown = (a: string, b: string) => diff(a, b).map(({ sign, text }) => sign + text).join("|");

test("what is the same stays, what differs is there before and after", () => {
  assert.equal(shown("a\nb\nc", "a\nx\nc"), " a|-b|+x| c");
  assert.equal(shown("a\nb\nc\nd", "b\nz\nd\ne"), "-a| b|-c|+z| d|+e");
  assert.equal(shown("a", "a"), " a");
  assert.equal(shown("a\na", "a"), " a|-a");
  assert.equal(shown("", "x"), "-|+x");
});

test("long ones take no time", () => {
  const lines = (word: string) => Array.from({ length: 30_000 }, (_, n) => word + n).join("\n");
  const began = performance.now();
  assert.equal(diff(lines("a"), lines("b")).length, 60_000);
  assert.ok(performance.now() - began < 1000);
});
