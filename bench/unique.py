"""17. Tasks with unique keys, against the same without."""

from collections.abc import Callable
from typing import Final

from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import keep_waiting
from bench.session import Session

CONNECTIONS: Final = 32
# More than are claimed at one time: no claim finds the queue empty.
SPARE: Final = 1000
SUBMITS: Final = {
    "free": "each with a key that nobody holds",
    "held": "64 keys, which other tasks hold and keep",
    "debounced": "64 keys, whose tasks are put off by each call",
}


def run(session: Session) -> list[Result]:
    with session.site("unique") as site:
        for queue in ("cycle-without", "cycle-with"):
            keep_waiting(site, SPARE, queue)
        api = site.serve()

        def submits(way: str) -> Run:
            return session.load(api, "submit_unique", CONNECTIONS, way=way, queue=way)

        def cycles(queue: str, *, is_unique: bool) -> Run:
            script = "submit_and_cycle"
            return session.load(api, script, CONNECTIONS, is_unique=is_unique, queue=queue)

        measures: dict[str, Callable[[], Run]] = {
            "submit": lambda: session.load(api, "submit", CONNECTIONS, queue="without"),
            "free": lambda: submits("free"),
            "held": lambda: submits("held"),
            "debounced": lambda: submits("debounced"),
            "cycle": lambda: cycles("cycle-without", is_unique=False),
            "unique cycle": lambda: cycles("cycle-with", is_unique=True),
        }
        interleave(1, measures)  # to warm up
        runs = interleave(session.options.rounds, measures)
    found = [(f"17 · POST /tasks, {way}", way, "submit", what) for way, what in SUBMITS.items()]
    whole = "each with a key that it holds until it has ended; submit, claim, complete"
    found.append(("17 · submit, claim, complete", "unique cycle", "cycle", whole))
    return [
        Result(
            name=name,
            figure=rate(runs[of]),
            unit="tasks/s",
            reference=rate(runs[without]),
            ratio=ratio(runs[of], runs[without]),
            target="–",
            ok=None,
            how=f"{CONNECTIONS} connections, one task a call, {what}; the reference is the same "
            "without keys.",
            details=details({of: runs[of], without: runs[without]}),
        )
        for name, of, without, what in found
    ]
