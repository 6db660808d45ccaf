import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "../api/client";
import { bytes, t, type Key } from "../i18n";
import { useResource } from "../state/polling";
import { priorityText, type Priority } from "./chip";
import {
  fieldOf,
  formatted,
  jsonFault,
  rangeText,
  sizeOf,
  taken,
  type Faults,
  type Name,
  type Values,
} from "./task_form";

const HINTS: Partial<Record<Name, Key>> = {
  queue: "hint.queue",
  group: "hint.group",
  tags: "hint.tags",
  payload: "hint.payload",
  due_date: "hint.due_date",
  available_at: "hint.available_at",
  "unique.key": "hint.unique.key",
  "unique.conflict": "hint.unique.conflict",
  "unique.debounce_seconds": "hint.unique.debounce_seconds",
  "unique.debounce_limit_seconds": "hint.unique.debounce_limit_seconds",
  depends_on: "hint.depends_on",
  on_parent_failure: "hint.on_parent_failure",
  blocks: "hint.blocks",
};

interface Props {
  names: Name[];
  values: Signal<Values>;
  /** What is wrong, by field; the first one gets the focus. */
  faults: Faults;
}

/** The fields of a task, to be written; what is known already is offered. */
export function TaskFields({ names, values, faults }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const known = useResource("form", knownNames, { everySeconds: Infinity });
  useEffect(() => {
    element.current!.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [faults]);
  const groups: [group: string, members: Name[]][] = [];
  for (const name of taken(names, values.value)) {
    const { group = "" } = fieldOf(name);
    if (groups.at(-1)?.[0] === group) groups.at(-1)![1].push(name);
    else groups.push([group, [name]]);
  }
  return (
    <div class="fields" ref={element}>
      {groups.map(([group, members]) => {
        const fields = members.map((name) => (
          <Field name={name} values={values} fault={faults[name]} key={name} />
        ));
        if (group === "") return fields;
        return (
          <fieldset class="fields" key={group}>
            <legend>{t(`field.${group}` as Key)}</legend>
            {fields}
          </fieldset>
        );
      })}
      {Object.entries(known.state.value.data ?? {}).map(([name, options]) => (
        <datalist id={`known-${name}`} key={name}>
          {options.map((option) => (
            <option value={option} key={option} />
          ))}
        </datalist>
      ))}
    </div>
  );
}

async function knownNames(signal: AbortSignal): Promise<Record<string, string[]>> {
  const [stats, tags] = await Promise.all([get("/stats", { signal }), get("/tags", { signal })]);
  return {
    queue: stats.document.queues.map(({ queue }) => queue),
    tags: tags.document.map(({ name }) => name),
  };
}

interface OneProps {
  name: Name;
  values: Signal<Values>;
  fault: string | undefined;
}

function Field({ name, values, fault }: OneProps) {
  const field = fieldOf(name);
  const hint = HINTS[name] ? t(HINTS[name]) : field.kind === "number" ? rangeText(field) : "";
  const value = values.value[name];
  const write = (text: string) => (values.value = { ...values.value, [name]: text });
  const common = {
    id: `field-${name}`,
    "aria-invalid": fault ? (true as const) : undefined,
    "aria-describedby": `about-${name}`,
    "aria-required": field.isRequired,
  };
  const typed = {
    ...common,
    value,
    onInput: (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) =>
      write(event.currentTarget.value),
  };
  return (
    <div class={`field ${field.kind}`}>
      <label for={common.id}>{t(`field.${name}`)}</label>
      {field.kind === "choice" ? (
        <select {...common} value={value} onChange={(event) => write(event.currentTarget.value)}>
          {field.usual === undefined && <option value="">–</option>}
          {field.choices!.map((choice) => (
            <option value={choice} key={choice}>
              {name === "priority" ? priorityText(choice as Priority) : t(`${name}.${choice}` as Key)}
            </option>
          ))}
        </select>
      ) : field.kind === "tags" ? (
        <Tags {...common} tags={JSON.parse(value) as string[]} write={(tags) => write(JSON.stringify(tags))} />
      ) : field.kind === "long" || field.kind === "json" ? (
        <textarea {...typed} rows={field.kind === "json" ? 8 : 3} spellcheck={field.kind !== "json"} />
      ) : (
        <input
          {...typed}
          type={field.kind === "time" ? "datetime-local" : "text"}
          step={field.kind === "time" ? 1 : undefined}
          inputMode={field.kind === "number" ? "numeric" : undefined}
          list={name === "queue" ? "known-queue" : undefined}
          autoComplete="off"
        />
      )}
      {field.kind === "json" && <Look text={value} write={write} />}
      <p class="quiet" id={`about-${name}`}>
        {fault ? <strong class="fault">{fault}</strong> : hint}
      </p>
    </div>
  );
}

/** What the JSON is so far. */
function Look({ text, write }: { text: string; write: (text: string) => void }) {
  if (text.trim() === "") return null;
  const fault = jsonFault(text);
  return (
    <p class="row">
      <span class={`chip ${fault ? "bad" : "good"}`}>{fault ?? t("form.json_valid")}</span>
      <span class="quiet">{bytes(sizeOf(text))}</span>
      {!fault && (
        <button type="button" class="plain" onClick={() => write(formatted(text))}>
          {t("form.format")}
        </button>
      )}
    </p>
  );
}

type TagsProps = { id: string; tags: string[]; write: (tags: string[]) => void };

function Tags({ tags, write, ...rest }: TagsProps) {
  const [text, setText] = useState("");
  const add = () => {
    const tag = text.trim();
    if (tag) write([...new Set([...tags, tag])]);
    setText("");
  };
  return (
    <>
      {tags.length > 0 && (
        <p class="row">
          {tags.map((tag) => (
            <span class="chip neutral" key={tag}>
              {tag}{" "}
              <button
                type="button"
                class="plain"
                aria-label={t("form.remove", { name: tag })}
                onClick={() => write(tags.filter((each) => each !== tag))}
              >
                ×
              </button>
            </span>
          ))}
        </p>
      )}
      <input
        {...rest}
        value={text}
        list="known-tags"
        autoComplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={add}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.isComposing || !text.trim()) return;
          event.preventDefault();
          add();
        }}
      />
    </>
  );
}
