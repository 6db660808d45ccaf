"""What stands behind a figure, as Markdown: runs, points, plans."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.report.figures import number

# The detail that goes into the appendix: how MySQL runs each list.
PLANS: Final = "explain"


def plans_of(details: Mapping[str, Any]) -> list[str]:
    """The plans alone, as one table; nothing if there are none."""
    plans = details.get(PLANS)
    return [*_table(plans), ""] if plans else []


def details_of(details: Mapping[str, Any]) -> list[str]:
    """All but the plans: runs side by side in one table, lists of equals in one each, the rest as
    a line."""
    runs = {k: v for k, v in details.items() if isinstance(v, dict) and "rates" in v}
    lines = _runs(runs) if runs else []
    rest = []
    for name, value in details.items():
        if name in runs or name == PLANS:
            continue
        if _is_table(value):
            lines += _folded(name, _table(value)) if len(value) > 20 else [*_table(value), ""]
        elif isinstance(value, dict) and all(_is_table(v) for v in value.values()):
            for what, points in value.items():
                lines += [f"{what}:", "", *_table(points), ""]
        elif value:
            rest.append(f"- {name}: {_said(value)}")
    return [*lines, *rest, ""] if rest else lines


def _runs(runs: Mapping[str, Any]) -> list[str]:
    lines = [
        "| | rate, median | of each round | p50 ms | p99 ms | CPU, µs each |",
        "|---|--:|---|--:|--:|---|",
    ]
    for name, run in runs.items():
        latency = run["latency_ms"]
        cpu = ", ".join(f"{who} {number(us)}" for who, us in run["cpu_us"].items())
        cells = (
            name,
            number(run["rate"]),
            " ".join(f"{rate:,}" for rate in run["rates"]),
            *(number(latency[p]) if p in latency else "–" for p in ("p50", "p99")),
            cpu or "–",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(rows[0])
    return [
        f"| {' | '.join(names)} |",
        f"|{'---|' * len(names)}",
        *(f"| {' | '.join(_said(row[name]) for name in names)} |" for row in rows),
    ]


def _folded(name: str, lines: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{name}</summary>", "", *lines, "", "</details>", ""]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("<", "&lt;")
