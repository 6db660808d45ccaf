// Where a text stops being JSON. Not every browser says it, and none in each language.

const SPACE = /[ \t\n\r]*/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const WORD = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

/** The place of the first character that is wrong; the end, where one is missing or none is wrong. */
export function faultAt(text: string): number {
  const due: string[] = [];
  let at = 0;
  let wants: "item" | "first" | "more" = "item";
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    skip(SPACE);
    if (wants !== "item" && due.length && text[at] === due.at(-1)) {
      due.pop();
      at++;
      wants = "more";
    } else if (wants === "more") {
      if (!due.length || text[at] !== ",") return at;
      at++;
      wants = "item";
    } else {
      if (due.at(-1) === "}") {
        if (!skip(TEXT)) return at;
        skip(SPACE);
        if (text[at] !== ":") return at;
        at++;
        skip(SPACE);
      }
      wants = text[at] === "{" || text[at] === "[" ? "first" : "more";
      if (wants === "first") due.push(text[at++] === "{" ? "}" : "]");
      else if (!skip(TEXT) && !skip(WORD)) return at;
    }
  }
}
