import { useState } from "preact/hooks";

import { bytes, t } from "../i18n";
import { layOut } from "../json/layout";
import type { JsonText } from "../json/reader";
import { CopyButton } from "./copy_button";

/** As much as a look takes in; the rest would only make the tab slow. */
const LINES = 60;
const CHARACTERS = 20_000;
const ALL = 5000;

/** What a user stored, digit by digit and in its order. */
export function JsonView({ value, label }: { value: JsonText | null; label: string }) {
  const [isWhole, setWhole] = useState(false);
  if (value === null) return <span class="quiet">{t("json.none")}</span>;
  const { text } = value;
  // More lines than anybody reads are shown as they came: one text is cheap, their colours are not.
  const laidOut = layOut(isWhole ? text : text.slice(0, CHARACTERS), isWhole ? ALL : LINES);
  const isCut = !laidOut.isWhole || (!isWhole && text.length > CHARACTERS);
  return (
    <div class="json">
      <pre tabIndex={0} aria-label={label}>
        {isWhole && !laidOut.isWhole
          ? text
          : laidOut.lines.map((line, index) => (
              <span class="line" key={index}>
                {"  ".repeat(line.depth)}
                {line.tokens.map((token, at) => (
                  <span class={token.kind} key={at}>
                    {!isWhole && token.text.length > 500 ? `${token.text.slice(0, 500)}…` : token.text}
                  </span>
                ))}
                {"\n"}
              </span>
            ))}
      </pre>
      <p class="row">
        <CopyButton text={text} />
        {(isCut || isWhole) && (
          <button type="button" class="plain" onClick={() => setWhole(!isWhole)}>
            {isWhole
              ? t("action.show_less")
              : t("action.show_all", { size: bytes(new Blob([text]).size) })}
          </button>
        )}
      </p>
    </div>
  );
}
