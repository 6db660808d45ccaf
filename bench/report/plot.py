"""Line charts as SVG, readable in light and dark. No library: a few dozen lines of text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 64, 52

_STYLE: Final = """
    svg { font-family: system-ui, "Segoe UI", "Noto Sans", sans-serif; font-size: 12px; }
    .page { fill: #ffffff; stroke: #d1d9e0; }
    .grid { stroke: #d1d9e0; stroke-width: 1; }
    .text { fill: #59636e; }
    .name { fill: #1f2328; font-size: 15px; font-weight: 600; }
    .line { fill: none; stroke-width: 2; }
    .c0 { stroke: #0969da; } .c1 { stroke: #bc4c00; } .c2 { stroke: #1a7f37; }
    .d0 { fill: #0969da; } .d1 { fill: #bc4c00; } .d2 { fill: #1a7f37; }
    .dashed { stroke-dasharray: 6 4; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; stroke: #3d444d; }
      .grid { stroke: #3d444d; }
      .text { fill: #9198a1; }
      .name { fill: #f0f6fc; }
      .c0 { stroke: #4493f8; } .c1 { stroke: #f0883e; } .c2 { stroke: #3fb950; }
      .d0 { fill: #4493f8; } .d1 { fill: #f0883e; } .d2 { fill: #3fb950; }
    }
"""


@dataclass(frozen=True)
class Line:
    """One line; the same colour ties those together that belong together."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    is_dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """What is along it; `is_log` where each step is a multiple."""

    label: str
    is_log: bool = False


class _Scale:
    def __init__(self, axis: Axis, values: Sequence[float], begin: float, end: float) -> None:
        self._is_log = axis.is_log
        self.ticks = _log_ticks(values) if axis.is_log else _linear_ticks(max(values))
        self._low, self._high = self._along(self.ticks[0]), self._along(self.ticks[-1])
        self._begin, self._end = begin, end

    def __call__(self, value: float) -> float:
        share = (self._along(value) - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)

    def _along(self, value: float) -> float:
        return math.log10(value) if self._is_log else value


def chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """The whole picture."""
    across = _Scale(x, [a for line in lines for a, _ in line.points], LEFT, WIDTH - RIGHT)
    up = _Scale(y, [b for line in lines for _, b in line.points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="t">',
        f'  <title id="t">{escape(title)}</title>',
        f"  <style>{_STYLE}  </style>",
        f'  <rect class="page" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        _text(LEFT, 26, title, "name"),
    ]
    for value in up.ticks:
        parts.append(_path([(LEFT, up(value)), (WIDTH - RIGHT, up(value))], "grid"))
        parts.append(_text(LEFT - 8, up(value) + 4, _short(value), "text", "end"))
    for value in across.ticks:
        parts.append(_path([(across(value), HEIGHT - BOTTOM), (across(value), TOP)], "grid"))
        parts.append(_text(across(value), HEIGHT - BOTTOM + 18, _short(value), "text", "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x.label, "text", "middle"))
    parts.append(_text(8, TOP - 12, y.label, "text"))
    for line in lines:
        points = [(across(a), up(b)) for a, b in line.points]
        dashed = " dashed" if line.is_dashed else ""
        parts.append(_path(points, f"line c{line.colour}{dashed}"))
        parts += [
            f'  <circle class="d{line.colour}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points
        ]
    return "\n".join([*parts, *_legend(lines), "</svg>", ""])


def _legend(lines: Sequence[Line]) -> list[str]:
    parts = []
    at = float(WIDTH - RIGHT)
    for line in reversed(lines):
        at -= 6.4 * len(line.name)
        dashed = " dashed" if line.is_dashed else ""
        parts.append(
            _path([(at - 30, TOP - 16), (at - 6, TOP - 16)], f"line c{line.colour}{dashed}")
        )
        parts.append(_text(at, TOP - 12, line.name, "text"))
        at -= 44
    return parts


def _path(points: Sequence[tuple[float, float]], kind: str) -> str:
    way = " ".join(f"{a:.1f} {b:.1f}" for a, b in points)
    return f'  <path class="{kind}" d="M{way}"/>'


def _text(a: float, b: float, text: str, kind: str, anchor: str = "start") -> str:
    return (
        f'  <text class="{kind}" x="{a:.1f}" y="{b:.1f}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _linear_ticks(most: float) -> list[float]:
    step = 10 ** math.floor(math.log10(max(most, 1e-9)))
    for part in (0.2, 0.5, 1, 2):
        if most / (step * part) <= 6:
            step *= part
            break
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _log_ticks(values: Sequence[float]) -> list[float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:g}"
