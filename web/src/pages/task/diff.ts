// Two texts, line by line.

export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** Beyond so many comparisons what differs is shown as a whole: it takes too long to look closer. */
const MOST = 250_000;

export function diff(before: string, after: string): DiffLine[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const mark = (sign: DiffLine["sign"], lines: string[]) => lines.map((text) => ({ sign, text }));
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const between = x.length * y.length > MOST ? [...mark("-", x), ...mark("+", y)] : compared(x, y);
  return [...mark(" ", a.slice(0, head)), ...between, ...mark(" ", a.slice(a.length - tail))];
}

/** By the longest common sequence of lines. */
function compared(a: string[], b: string[]): DiffLine[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) lines.push({ sign: " ", text: a[(j++, i++)]! });
    else if (j === b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      lines.push({ sign: "-", text: a[i++]! });
    } else lines.push({ sign: "+", text: b[j++]! });
  }
  return lines;
}
