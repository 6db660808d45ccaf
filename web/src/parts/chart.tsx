import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";

import { localTime, number, t } from "../i18n";
import { language } from "../state/preferences";
import { isDark } from "../state/dark";

export interface Series {
  label: string;
  values: (number | null)[];
  /** The name of a colour in styles/colours.css. */
  colour: string;
}

interface Props {
  /** What it shows, for those who do not see it. */
  label: string;
  /** Seconds since 1970, ascending. */
  times: number[];
  series: Series[];
  height?: number;
}

/** Curves over time. */
export function Chart({ label, times, series, height = 180 }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const data = [times, ...series.map((one) => one.values)] as uPlot.AlignedData;
  const shape = [language.value, isDark.value, height, ...series.map((s) => s.label + s.colour)].join();

  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current!;
    let isGone = false;
    const watch = new ResizeObserver(() => {
      chart.current?.setSize({ width: element.clientWidth, height });
    });
    const draw = ({ default: UPlot }: { default: typeof uPlot }) => {
      if (isGone) return;
      chart.current = new UPlot(optionsOf(element, height, times, series), latest.current, element);
      watch.observe(element);
    };
    // Only pages with curves load what draws them. Where the server is away, the next look tries.
    void import("uplot").then(draw, () => undefined);
    return () => {
      isGone = true;
      watch.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape]);

  useEffect(() => chart.current?.setData(data), [times, series]);

  return (
    <figure class="chart" aria-label={label}>
      <div ref={place} style={{ minHeight: `${height}px` }} aria-hidden="true" />
      <Values times={times} series={series} />
    </figure>
  );
}

function optionsOf(element: HTMLElement, height: number, times: number[], series: Series[]): uPlot.Options {
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colourOf("quiet", element), ticks: { show: false }, font };
  const grid = { stroke: colourOf("line", element), width: 1 };
  return {
    width: element.clientWidth,
    height,
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, values: (_, at) => at.map((s) => moment(s, times)) },
      { ...axis, grid, size: 44, values: (_, at) => at.map((value) => number(value, 2)) },
    ],
    series: [
      { label: t("chart.time"), value: (_, at) => (at === null ? "" : moment(at, times)) },
      ...series.map((one) => ({
        label: one.label,
        stroke: colourOf(one.colour, element),
        width: 1.75,
        // A value between two gaps makes no line.
        points: { show: false, size: 4, filter: (u: uPlot, at: number) => lonely(u.data[at]!) },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : number(value, 2)),
      })),
    ],
  };
}

function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (at: number) => values[at] === null || values[at] === undefined;
  return Array.from(values, (_, at) => at).filter(
    (at) => !isGap(at) && isGap(at - 1) && isGap(at + 1),
  );
}

/** The same as a table, for those who do not see curves. */
function Values({ times, series }: { times: number[]; series: Series[] }) {
  return (
    <table class="unseen">
      <caption>{t("chart.values")}</caption>
      <tbody>
        {series.map((one) => (
          <tr key={one.label}>
            <th scope="row">{one.label}</th>
            {one.values.slice(-12).map((value, index) => (
              <td key={times[times.length - 12 + index]}>{value === null ? "–" : number(value, 2)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A canvas knows no variables, and no light-dark(). */
function colourOf(name: string, near: HTMLElement): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  near.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function moment(seconds: number, times: number[]): string {
  const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > 86_400;
  return localTime(new Date(seconds * 1000), {
    ...(isLong ? { month: "short", day: "numeric" } : {}),
    hour: "2-digit",
    minute: "2-digit",
  });
}
