"""12. `rowlock serve --workers 2`: more than one process makes, never less."""

import subprocess
import sys
from functools import partial
from typing import Final

from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import keep_waiting
from bench.session import Session
from bench.stack import Api

OPTION: Final = "--workers"
TARGETS: Final = (
    ("12 · POST /tasks, two processes", "submit", 32),
    ("12 · claim + complete, two processes", "cycle", 64),
)
ENOUGH_A_SECOND: Final = 12_000


def run(session: Session) -> list[Result]:
    if not _is_there():
        return [
            Result(
                name="12 · two processes",
                figure=0,
                unit="",
                target="> 1.0",
                ok=None,
                how=f"Not measured: `rowlock serve` has no {OPTION} yet.",
            )
        ]
    results = []
    enough = int(ENOUGH_A_SECOND * session.options.seconds)
    with session.site("workers") as site:
        one, two = site.serve(), site.serve(OPTION, "2")

        def measure(api: Api, script: str, connections: int) -> Run:
            keep_waiting(site, enough)
            return session.load(api, script, connections)

        for name, script, connections in TARGETS:
            measures = {
                "one": partial(measure, one, script, connections),
                "two": partial(measure, two, script, connections),
            }
            interleave(1, measures)  # to warm up
            runs = interleave(session.options.rounds, measures)
            found = ratio(runs["two"], runs["one"])
            results.append(
                Result(
                    name=name,
                    figure=rate(runs["two"]),
                    unit="tasks/s",
                    reference=rate(runs["one"]),
                    ratio=found,
                    target="> 1.0",
                    ok=found > 1.0,
                    how=f"{connections} connections to `rowlock serve {OPTION} 2`; the reference "
                    "is one process, on the same database, in turn.",
                    details=details(runs),
                )
            )
    return results


def _is_there() -> bool:
    shown = subprocess.run(
        [sys.executable, "-m", "app", "serve", "--help"], capture_output=True, text=True, check=True
    )
    return OPTION in shown.stdout
