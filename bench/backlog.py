"""7. Claim and complete with millions of tasks ended and a million waiting, against an empty
table."""

from functools import partial
from typing import Any, Final

from bench import history
from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import keep_waiting
from bench.session import Session
from bench.stack import Api, Site

CONNECTIONS: Final = 64
LEAST: Final = 0.85
QUEUE: Final = "backlog"
# Of the tasks that have ended, this many wait, a step after the other.
SHARES: Final = (0.003, 0.01, 0.03, 0.1)
ENOUGH_A_SECOND: Final = 10_000


def run(session: Session) -> list[Result]:
    points: list[dict[str, Any]] = []
    ended = session.options.rows
    enough = int(ENOUGH_A_SECOND * session.options.seconds)
    full = history.make(session)
    with session.site("empty") as empty:
        on_full, on_empty = full.serve(), empty.serve()

        def cycles(site: Site, api: Api, waiting: int) -> Run:
            keep_waiting(site, waiting, QUEUE)
            return session.load(api, "cycle", CONNECTIONS, queue=QUEUE)

        for share in SHARES:
            waiting = max(int(ended * share), enough)
            measures = {
                "full": partial(cycles, full, on_full, waiting),
                "empty": partial(cycles, empty, on_empty, enough),
            }
            interleave(1, measures)  # to warm up
            runs = interleave(session.options.rounds, measures)
            points.append(
                {
                    "waiting": waiting,
                    "rate": round(rate(runs["full"])),
                    "empty": round(rate(runs["empty"])),
                    "ratio": round(ratio(runs["full"], runs["empty"]), 3),
                }
            )
    found = points[-1]["ratio"]
    return [
        Result(
            name=f"7 · claim + complete, {ended:,} ended and {points[-1]['waiting']:,} waiting",
            figure=points[-1]["rate"],
            unit="tasks/s",
            reference=points[-1]["empty"],
            ratio=found,
            target=f"≥ {LEAST:.2f}",
            ok=found >= LEAST,
            how=f"{CONNECTIONS} connections, a call to claim and a call to complete; the "
            "reference is the same on a table that holds nothing else, on the same server, in "
            "turn.",
            details={"points": points, "ended": ended, **details(runs)},
        )
    ]
