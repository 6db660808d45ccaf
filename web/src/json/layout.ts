// A JSON text as lines, digit by digit as it is: only the space between its parts changes.

/** A part of a line, and what it is. */
export interface Token {
  kind: "key" | "text" | "number" | "word" | "sign";
  text: string;
}

export interface Line {
  depth: number;
  tokens: Token[];
}

const PART = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** The first `limit` lines, and whether those are all. */
export function layOut(text: string, limit: number): { lines: Line[]; isWhole: boolean } {
  const lines: Line[] = [];
  let depth = 0;
  let line: Line = { depth, tokens: [] };
  const parts = text.matchAll(PART);
  let next = parts.next();
  while (!next.done) {
    const part = next.value[0];
    next = parts.next();
    const following = next.done ? "" : next.value[0];
    const opens = part === "{" || part === "[";
    if (opens && (following === "}" || following === "]")) {
      line.tokens.push({ kind: "sign", text: part + following });
      next = parts.next();
    } else if (opens) {
      line.tokens.push({ kind: "sign", text: part });
      lines.push(line);
      line = { depth: ++depth, tokens: [] };
    } else if (part === "}" || part === "]") {
      if (line.tokens.length) lines.push(line);
      line = { depth: --depth, tokens: [{ kind: "sign", text: part }] };
    } else if (part === ",") {
      line.tokens.push({ kind: "sign", text: "," });
      lines.push(line);
      line = { depth, tokens: [] };
    } else if (part === ":") {
      line.tokens.push({ kind: "sign", text: ": " });
    } else {
      line.tokens.push({ kind: kindOf(part, following), text: part });
    }
    if (lines.length >= limit) return { lines: lines.slice(0, limit), isWhole: false };
  }
  if (line.tokens.length) lines.push(line);
  return { lines: lines.slice(0, limit), isWhole: lines.length <= limit };
}

function kindOf(part: string, following: string): Token["kind"] {
  if (part[0] === '"') return following === ":" ? "key" : "text";
  return /^[-\d]/.test(part) ? "number" : "word";
}
