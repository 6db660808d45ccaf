import assert from "node:assert/strict";
import { test } from "node:test";

import { en } from "./en.ts";
import { zh } from "./zh.ts";

const filled = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

test("each language has every text, and fills the same into it", () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    assert.deepEqual(filled(zh[key as keyof typeof en]), filled(text), key);
    assert.ok(zh[key as keyof typeof en].trim(), key);
  }
});
