"""What a benchmark finds, and how many runs become one figure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


class BenchError(Exception):
    """The run is worth nothing: something answered other than it should."""


@dataclass(frozen=True)
class Result:
    """One line of the report. `ok` is None where there is no target, or nothing was measured."""

    name: str
    figure: float
    unit: str
    target: str
    ok: bool | None
    how: str
    reference: float | None = None
    ratio: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One measurement: how many, how many a second, how long each call took, whose CPU went
    into each."""

    units: int
    rate: float
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    cpu_us: Mapping[str, float] = field(default_factory=dict)


Runs = Mapping[str, Sequence[Run]]


def interleave(rounds: int, measures: Mapping[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Each measure once a round, so that a machine that slows down does so for all of them.
    Every second round goes backwards: none always follows the same one."""
    runs: dict[str, list[Run]] = {name: [] for name in measures}
    for number in range(rounds):
        names = list(measures) if number % 2 == 0 else list(measures)[::-1]
        for name in names:
            runs[name].append(measures[name]())
    return runs


def rate(runs: Sequence[Run]) -> float:
    """The usual rate."""
    return median(run.rate for run in runs)


def ratio(runs: Sequence[Run], reference: Sequence[Run]) -> float:
    """How many times the reference, round by round, and the usual one of those."""
    return median(a.rate / b.rate for a, b in zip(runs, reference, strict=True))


def usual(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The medians, by key, of what every run has."""
    names = set.intersection(*(set(part) for part in parts)) if parts else set()
    return {name: round(median(p[name] for p in parts), 2) for name in sorted(names)}


def details(runs: Runs) -> dict[str, Any]:
    """The medians of each measure."""
    return {
        name: {
            "rate": round(rate(of), 1),
            "rates": [round(run.rate) for run in of],
            "latency_ms": usual([run.latency_ms for run in of]),
            "cpu_us": usual([run.cpu_us for run in of]),
        }
        for name, of in runs.items()
    }


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The least value that so many percent do not exceed."""
    if not sorted_values:
        return float("nan")
    return sorted_values[max(0, math.ceil(len(sorted_values) * percent / 100) - 1)]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        **{f"p{percent}": round(percentile(ordered, percent), 3) for percent in (50, 95, 99)},
        "max": round(ordered[-1], 3) if ordered else float("nan"),
    }
