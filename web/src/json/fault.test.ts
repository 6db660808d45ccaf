import assert from "node:assert/strict";
import { test } from "node:test";

import { faultAt } from "./fault.ts";

test("the first character that is wrong is found", () => {
  const cases: [text: string, at: number][] = [
    ['{"a": 1,\n "b": }', 15],
    ["[1, 2,]", 6],
    ["[1 2]", 3],
    ["{a: 1}", 1],
    ['{"a" 1}', 5],
    ['{"a": 1,}', 8],
    ["[01]", 1],
    ["[1.]", 1],
    ["nul", 0],
    ["truex", 0],
    ["{'a': 1}", 1],
    ["1 2", 2],
    ["[1}", 2],
    ['["a', 1],
    ["[", 1],
    ["", 0],
    ["]", 0],
    ["[NaN]", 1],
  ];
  for (const [text, at] of cases) {
    assert.throws(() => JSON.parse(text), text);
    assert.equal(faultAt(text), at, text);
  }
});

test("of what is JSON nothing is", () => {
  for (const text of ['{"a": [1, -0.5e+3, true, null, "\\u00e9\\n"], "b": {}}', " 1 ", "[]", '""']) {
    JSON.parse(text);
    assert.equal(faultAt(text), text.length, text);
  }
});

test("however deep and however long", () => {
  assert.equal(faultAt("[".repeat(200_000)), 200_000);
  assert.equal(faultAt(`["${"x".repeat(300_000)}"}`), 300_003);
});
