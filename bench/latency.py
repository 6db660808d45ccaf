"""How long a call takes as more of them come: from 1 to 128 connections. No target; a plot."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from bench.result import Result, Run, interleave, rate, usual
from bench.rows import keep_waiting
from bench.session import Session

CONNECTIONS: Final = (1, 2, 4, 8, 16, 32, 64, 128)
ENOUGH: Final = 20_000
MOST_ROUNDS: Final = 3
SCRIPTS: Final = {"submit": "POST /tasks", "finish_and_claim": "POST /leases/finish"}


def run(session: Session) -> list[Result]:
    seconds = min(session.options.seconds, 2.0)
    measures: dict[str, Callable[[], Run]] = {}
    with session.site("latency") as site:
        api = site.serve()

        def measure(script: str, connections: int) -> Run:
            keep_waiting(site, ENOUGH)
            return session.load(api, script, connections, seconds=seconds)

        for script in SCRIPTS:
            measure(script, 8)  # to warm up
            for connections in CONNECTIONS:
                measures[f"{script} {connections}"] = partial(measure, script, connections)
        runs = interleave(min(session.options.rounds, MOST_ROUNDS), measures)
    points = {
        call: [_point(connections, runs[f"{script} {connections}"]) for connections in CONNECTIONS]
        for script, call in SCRIPTS.items()
    }
    return [
        Result(
            name="latency of a lone POST /tasks, p50",
            figure=points["POST /tasks"][0]["p50"],
            unit="ms",
            target="–",
            ok=None,
            how=f"{', '.join(map(str, CONNECTIONS))} connections in turn, each with its next "
            "call as soon as it is answered; milliseconds.",
            details={"points": points},
        )
    ]


def _point(connections: int, runs: Sequence[Run]) -> dict[str, float]:
    spread = usual([run.latency_ms for run in runs])
    return {"connections": connections, "rate": round(rate(runs)), **spread}
