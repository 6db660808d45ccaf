import assert from "node:assert/strict";
import { test } from "node:test";

import { layOut } from "./layout.ts";
import { JsonText, readDocument } from "./reader.ts";

interface Task {
  id: number;
  payload: JsonText | null;
  result: JsonText | null;
}

const read = (text: string) => readDocument(text) as Task;
const written = (text: string) =>
  layOut(text, Infinity)
    .lines.map((line) => line.tokens.map((token) => token.text).join(""))
    .join("")
    .replaceAll('": ', '":');

test("what a user stored stays digit by digit, in its order", () => {
  const stored = '{"b":12345678901234567890,"2":1.10,"1":1e400,"b":-0,"__proto__":{"x":[]}}';
  const { id, payload, result } = read(`{"id": 7, "payload": ${stored} , "result": null}`);
  assert.equal(id, 7);
  assert.equal(payload?.text, stored);
  assert.equal(result, null);
  assert.equal(written(stored), stored);
});

test("texts with every sign of JSON in them are texts", () => {
  const stored = String.raw`{"a\"}]":"\\","{":"[,:]\\\"","":"\u4f60 你"}`;
  const { payload } = read(`{"payload":${stored},"id":1}`);
  assert.equal(payload?.text, stored);
  assert.equal(written(stored), stored);
});

test("any value is one", () => {
  for (const stored of ["0", "-1.5e-3", '"x"', "true", "false", "[]", "{}", "[[],{}]", '""']) {
    assert.equal(read(`[{"payload": ${stored}}]`)[0 as keyof object]["payload"].text, stored);
    assert.equal(written(stored), stored);
  }
});

test("what is deep needs no deep stack", () => {
  const stored = "[".repeat(100_000) + "]".repeat(100_000);
  assert.equal(read(`{"payload":${stored}}`).payload?.text, stored);
  assert.equal(layOut(stored, 60).isWhole, false);
});

test("documents are as JSON.parse reads them", () => {
  const text = '{"a": [1, 2.5, {"b": null, "c": "\\n\\u00e9"}], "d": {}, "e": [ ], "f": true}';
  assert.deepEqual(readDocument(text), JSON.parse(text));
});

test("what is no JSON is refused", () => {
  for (const text of ["", "<html>", '{"a"}', '{"a":1', "[1 2]", '"x', '{"payload":[1', "{}x"]) {
    assert.throws(() => readDocument(text), SyntaxError, text);
  }
});

test("lines are cut where they are asked to be", () => {
  const { lines, isWhole } = layOut('{"a":[1,2],"b":{}}', 3);
  assert.equal(isWhole, false);
  assert.deepEqual(
    lines.map((line) => [line.depth, line.tokens.map((token) => token.kind).join(" ")]),
    [
      [0, "sign"],
      [1, "key sign sign"],
      [2, "number sign"],
    ],
  );
});
