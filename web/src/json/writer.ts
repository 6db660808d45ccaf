// A document that was read without loss, as JSON again.
import { JsonText } from "./reader";

export function writeDocument(value: unknown): JsonText {
  return new JsonText(textOf(value));
}

function textOf(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${textOf(each)}`);
  return `{${parts.join()}}`;
}
