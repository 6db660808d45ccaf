"""How figures are written."""

from collections.abc import Sequence

from bench.result import Result


def number(value: float) -> str:
    """With as many digits as mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def shown(result: Result) -> tuple[str, str, str, str, str]:
    """Name, figure, reference, ratio and target of a result."""
    return (
        result.name,
        f"{number(result.figure)} {result.unit}" if result.unit else "–",
        "–" if result.reference is None else number(result.reference),
        "–" if result.ratio is None else f"{result.ratio:.2f}",
        result.target,
    )


def verdict(ok: bool | None) -> str:
    """Whether the target is met, for people."""
    return {True: "met", False: "missed", None: "–"}[ok]


def print_table(results: Sequence[Result]) -> None:
    """Print results as one table."""
    rows = [("", "figure", "reference", "ratio", "target", "")]
    rows += [(*shown(result), verdict(result.ok)) for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        name, *figures, target, met = row
        cells = [name.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(figures, widths[1:4], strict=True)]
        print("  ".join([*cells, target.ljust(widths[4]), met]).rstrip())
