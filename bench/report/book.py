"""docs/performance.md and its appendix, made of what the last run of each benchmark found
(bench/results.json)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.report.details import details_of, plans_of
from bench.report.figures import shown, verdict
from bench.report.plot import Axis, Line, chart
from bench.result import Result
from bench.session import Options

PROJECT: Final = Path(__file__).parent.parent.parent
# In the order of the report.
ORDER: Final = (
    *("submit", "read", "cycle", "bulk", "pickup", "idle", "backlog", "snapshot"),
    *("lists", "sweep", "memory", "workers", "python_worker", "python_client"),
    *("unique", "dependencies", "groups", "retention", "commits", "latency", "tabs", "pages"),
)
_HEAD: Final = """\
# Performance

Written by `make bench` and `make bench-large`; not by hand. Each ratio was taken within one run:
the reference and what is measured take turns, a few seconds each, and the ratio is the median
of the rounds'. The server, MySQL, Valkey and the load generator shared the machine; one API
process unless said otherwise. MySQL was durable: every commit was on disk, in the redo log and
in the binary log, before anybody was told of it.
"""
_PLANS_HEAD: Final = """\
# The plans of the lists

Written by `make bench` and `make bench-large`; not by hand. How MySQL ran each list that
[performance](performance.md) has times of: the table, how it is gone through, the index, and what
`EXPLAIN` says besides; and the rows that were read for the first page or for one from the middle,
whichever took more.
"""


class Book:
    """The results kept, and the report made of them."""

    def __init__(self, project: Path = PROJECT) -> None:
        self._kept = project / "bench" / "results.json"
        self.page = project / "docs" / "performance.md"
        self.appendix = project / "docs" / "performance-plans.md"
        self._images = project / "docs" / "images"

    def keep(
        self, name: str, results: Sequence[Result], machine: Mapping[str, Any], options: Options
    ) -> None:
        """Put these in the place of what the benchmark found before."""
        kept = self._read()
        kept[name] = {
            "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
            "rounds": options.rounds,
            "seconds": options.seconds,
            "machine": machine,
            "results": [asdict(result) for result in results],
        }
        ordered = {key: kept[key] for key in ORDER if key in kept}
        self._kept.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n")

    def write(self) -> Path:
        """The page, its plots and its appendix, from everything that is kept."""
        kept = self._read()
        if not kept:
            return self.page
        sections = [_HEAD, _table(kept), *self._plots(kept), _machine(kept), _measured(kept)]
        self.page.write_text("\n".join(sections))
        self.appendix.write_text("\n".join([_PLANS_HEAD, *_plans(kept)]))
        return self.page

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        return found

    def _plots(self, kept: Mapping[str, Any]) -> list[str]:
        plots = []
        for name, draw, title in (
            ("backlog", _backlog_plot, "Throughput against backlog"),
            ("latency", _latency_plot, "Latency against load"),
        ):
            if name in kept:
                file = self._images / f"performance-{name}.svg"
                file.write_text(draw(kept[name]["results"][0]["details"]))
                plots.append(f"## {title}\n\n![{title}](images/{file.name})\n")
        return plots


def _results(entry: Mapping[str, Any]) -> list[Result]:
    return [Result(**fields) for fields in entry["results"]]


def _table(kept: Mapping[str, Any]) -> str:
    lines = [
        "| what | figure | reference | ratio | target | |",
        "|---|--:|--:|--:|---|---|",
    ]
    for entry in kept.values():
        lines += [
            f"| {' | '.join(shown(result))} | {verdict(result.ok)} |" for result in _results(entry)
        ]
    return "\n".join([*lines, ""])


def _machine(kept: Mapping[str, Any]) -> str:
    latest = max(kept.values(), key=lambda entry: str(entry["measured"]))
    lines = ["## What it ran on", ""]
    for section, facts in latest["machine"].items():
        said = ", ".join(f"{name} {value}" for name, value in facts.items())
        lines.append(f"- {section}: {said}")
    return "\n".join([*lines, ""])


def _measured(kept: Mapping[str, Any]) -> str:
    lines = ["## How each was measured", ""]
    for name, entry in kept.items():
        lines += [
            f"### {name}",
            "",
            f"`.venv/bin/python -m bench {name}`, {entry['measured']}, {entry['rounds']} rounds "
            f"of {entry['seconds']:g} s.",
            "",
        ]
        seen = []
        for result in _results(entry):
            lines.append(f"- **{result.name}**: {result.how}")
            if result.details and result.details not in seen:
                seen.append(result.details)
        lines.append("")
        for details in seen:
            lines += details_of(details)
        if any(map(plans_of, seen)):
            lines += [f"How MySQL ran the lists: [the plans](performance-plans.md#{name}).", ""]
    return "\n".join(lines).rstrip() + "\n"


def _plans(kept: Mapping[str, Any]) -> list[str]:
    return [
        "\n".join([f"## {name}", "", *plans])
        for name, entry in kept.items()
        for result in _results(entry)
        if (plans := plans_of(result.details))
    ]


def _backlog_plot(details: Mapping[str, Any]) -> str:
    points = details["points"]
    ended = f"{details['ended']:,} tasks ended"
    return chart(
        "Claim + complete over HTTP, as the backlog grows",
        Axis("tasks waiting", is_log=True),
        Axis("tasks/s"),
        [
            Line(ended, [(p["waiting"], p["rate"]) for p in points], 0),
            Line("an empty table", [(p["waiting"], p["empty"]) for p in points], 1, is_dashed=True),
        ],
    )


def _latency_plot(details: Mapping[str, Any]) -> str:
    lines = []
    for colour, (call, points) in enumerate(details["points"].items()):
        for percent in ("p50", "p99"):
            way = [(p["rate"], p[percent]) for p in points]
            lines.append(Line(f"{call}, {percent}", way, colour, is_dashed=percent == "p99"))
    return chart(
        "How long a call takes, from 1 to 128 connections",
        Axis("calls/s"),
        Axis("ms", is_log=True),
        lines,
    )
