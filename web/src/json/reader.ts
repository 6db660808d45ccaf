// JSON without loss. JSON.parse rounds large numbers and moves keys that look like numbers; what
// users stored is therefore kept as the text that it is, and read for display alone (tree.ts).

/** A JSON value of a user's, as stored. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Fields whose content is the user's. */
const OWN = new Set(["payload", "result", "progress"]);

/** A document of the API: ordinary values, but a JsonText for what is the user's; null if null. */
export function readDocument(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  value(): unknown {
    this.space();
    const first = this.text[this.at];
    if (first === "{") return this.object();
    if (first === "[") return this.array();
    const start = this.at;
    if (first === '"') this.skipString();
    else this.skipWord();
    return JSON.parse(this.text.slice(start, this.at));
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw new SyntaxError(`Unexpected text at ${this.at}`);
  }

  private object(): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    this.at++;
    while (!this.closes("}")) {
      const start = this.at;
      this.skipString();
      const key = JSON.parse(this.text.slice(start, this.at)) as string;
      this.expect(":");
      const value = OWN.has(key) ? this.own() : this.value();
      // Assigned, it would be no property.
      if (key !== "__proto__") found[key] = value;
      this.comma("}");
    }
    return found;
  }

  private array(): unknown[] {
    const found: unknown[] = [];
    this.at++;
    while (!this.closes("]")) {
      found.push(this.value());
      this.comma("]");
    }
    return found;
  }

  private own(): JsonText | null {
    this.space();
    const start = this.at;
    // Without recursion: it may be as deep as it likes.
    let depth = 0;
    do {
      this.space();
      const next = this.text[this.at];
      if (next === "{" || next === "[") (depth++, this.at++);
      else if (next === "}" || next === "]") (depth--, this.at++);
      else if (next === "," || next === ":") this.at++;
      else if (next === '"') this.skipString();
      else this.skipWord();
    } while (depth > 0);
    const text = this.text.slice(start, this.at);
    return text === "null" ? null : new JsonText(text);
  }

  private skipString(): void {
    let end = this.at;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw new SyntaxError("A text does not end");
    } while (this.isEscaped(end));
    this.at = end + 1;
  }

  private isEscaped(at: number): boolean {
    let before = at;
    while (this.text[before - 1] === "\\") before--;
    return (at - before) % 2 === 1;
  }

  private skipWord(): void {
    const start = this.at;
    while (this.at < this.text.length && !/[\s,:\]}[{"]/.test(this.text[this.at]!)) this.at++;
    if (this.at === start) throw new SyntaxError(`A value is missing at ${start}`);
  }

  private closes(sign: string): boolean {
    this.space();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private comma(end: string): void {
    this.space();
    if (this.text[this.at] === ",") this.at++;
    else if (this.text[this.at] !== end) throw new SyntaxError(`A comma is missing at ${this.at}`);
    this.space();
  }

  private expect(sign: string): void {
    this.space();
    if (this.text[this.at] !== sign) throw new SyntaxError(`${sign} is missing at ${this.at}`);
    this.at++;
  }

  private space(): void {
    let code = this.text.charCodeAt(this.at);
    while (code === 32 || code === 10 || code === 13 || code === 9) {
      code = this.text.charCodeAt(++this.at);
    }
  }
}
