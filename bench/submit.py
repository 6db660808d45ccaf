"""1. One task a call: `POST /tasks`, against a FastAPI route that validates and stores nothing."""

from typing import Final

from bench.result import Result, details, interleave, rate, ratio
from bench.session import Session

CONNECTIONS: Final = 32
LEAST: Final = 0.60


def run(session: Session) -> list[Result]:
    with session.site("submit") as site, session.reference() as reference:
        api = site.serve()
        for server in (reference, api):
            session.warm_up(server, "submit", CONNECTIONS)
        runs = interleave(
            session.options.rounds,
            {
                "reference": lambda: session.load(reference, "submit", CONNECTIONS),
                "rowlock": lambda: session.load(api, "submit", CONNECTIONS),
            },
        )
    found = ratio(runs["rowlock"], runs["reference"])
    return [
        Result(
            name="1 · POST /tasks",
            figure=rate(runs["rowlock"]),
            unit="tasks/s",
            reference=rate(runs["reference"]),
            ratio=found,
            target=f"≥ {LEAST:.2f}",
            ok=found >= LEAST,
            how=f"{CONNECTIONS} connections, one task a call, each committed before its 201; the "
            "reference is a FastAPI route with a declared body and answer that stores nothing.",
            details=details(runs),
        )
    ]
