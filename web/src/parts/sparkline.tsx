const WIDTH = 96;
const HEIGHT = 24;

/** A curve as small as a word. */
export function Sparkline({ values, label }: { values: (number | null)[]; label: string }) {
  const most = Math.max(...values.map((value) => value ?? 0), 1);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const y = (value: number) => HEIGHT - 1 - (value / most) * (HEIGHT - 2);
  let path = "";
  values.forEach((value, index) => {
    if (value === null) return;
    const starts = index === 0 || values[index - 1] === null;
    path += `${starts ? "M" : "L"}${(index * step).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  );
}
