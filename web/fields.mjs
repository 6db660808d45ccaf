// Writes src/api/fields.ts: what POST and PATCH /tasks take, as the OpenAPI document says it.
import { readFile, writeFile } from "node:fs/promises";

const { schemas } = JSON.parse(await readFile(".openapi.json", "utf8")).components;

function resolved(schema) {
  if (schema.anyOf) return { ...resolved(schema.anyOf.find(({ type }) => type !== "null")), default: schema.default };
  return schema.$ref ? { ...schemas[schema.$ref.split("/").pop()], ...schema } : schema;
}

function described(name, schema) {
  const { type, format, minimum, maximum, maxLength, maxItems, pattern, items } = schema;
  // Of what is taken in two languages, what is answered.
  if (schema.enum) return { kind: "choice", choices: name === "priority" ? schemas.Priority.enum : schema.enum };
  if (type === "integer") return { kind: "number", least: minimum, most: maximum };
  if (type === "array" && items.type === "integer") return { kind: "ids", most: maxItems };
  if (type === "array") return { kind: "tags", most: maxItems, longest: items.maxLength };
  if (format === "date-time") return { kind: "time" };
  if (type === undefined || type === "object") return { kind: "json" };
  if (type !== "string") throw new Error(`the forms know no field like ${name}`);
  if (maxLength === undefined) return { kind: "text", pattern };
  return { kind: maxLength > 1000 ? "long" : "text", most: maxLength };
}

/** Of an object, each of its fields, by a dotted name. */
function fieldsOf({ properties, required }, group) {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const found = resolved(schema);
    if (found.properties) return fieldsOf(found, name);
    const usual = found.default ?? undefined;
    // Whether there is a group at all is for the person to say.
    const isRequired = (!group && required.includes(name)) || undefined;
    return [[group ? `${group}.${name}` : name, { ...described(name, found), usual, isRequired, group }]];
  });
}

const fields = fieldsOf(schemas.SubmitTask);

await writeFile(
  "src/api/fields.ts",
  `export const FIELDS = ${JSON.stringify(Object.fromEntries(fields), null, 2)} as const;
export const PATCHABLE = ${JSON.stringify(Object.keys(schemas.PatchTask.properties))} as const;
`,
);
