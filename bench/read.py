"""2. `GET /tasks/{id}`, hot and cold, against a FastAPI route that returns a fixed task."""

from typing import Final

from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import WAITING, inserts
from bench.session import Session
from bench.stack import Api

CONNECTIONS: Final = 32
HOT_TASKS: Final = 100
# More than can be asked for while a document stays in the cache.
COLD_TASKS: Final = 200_000
LEAST_HOT, LEAST_COLD = 0.70, 0.35


class _Cold:
    """Goes on with the ids where the last run ended."""

    def __init__(self, session: Session, api: Api) -> None:
        self._session = session
        self._api = api
        self._first = HOT_TASKS + 1

    def run(self) -> Run:
        run = self._session.load(self._api, "get", CONNECTIONS, first=self._first, last=COLD_TASKS)
        self._first += run.units
        if self._first > COLD_TASKS * 0.8:
            self._first = HOT_TASKS + 1
        return run


def run(session: Session) -> list[Result]:
    with session.site("read") as site, session.reference() as reference:
        site.run(*inserts(WAITING, COLD_TASKS))
        api = site.serve()
        hot = {"first": 1, "last": HOT_TASKS}
        for server in (reference, api):
            session.warm_up(server, "get", CONNECTIONS, **hot)
        runs = interleave(
            session.options.rounds,
            {
                "reference": lambda: session.load(reference, "get", CONNECTIONS, **hot),
                "hot": lambda: session.load(api, "get", CONNECTIONS, **hot),
                "cold": _Cold(session, api).run,
            },
        )
    return [
        Result(
            name=name,
            figure=rate(runs[kind]),
            unit="calls/s",
            reference=rate(runs["reference"]),
            ratio=(found := ratio(runs[kind], runs["reference"])),
            target=f"≥ {least:.2f}",
            ok=found >= least,
            how=f"{CONNECTIONS} connections, {what}; the reference is a FastAPI route that "
            "returns a fixed task by its declared answer.",
            details=details({kind: runs[kind], "reference": runs["reference"]}),
        )
        for name, kind, least, what in (
            ("2 · GET /tasks/{id}, hot", "hot", LEAST_HOT, f"{HOT_TASKS} tasks in turn"),
            (
                "2 · GET /tasks/{id}, not cached",
                "cold",
                LEAST_COLD,
                f"{COLD_TASKS:,} tasks, each asked for long after it has left the cache",
            ),
        )
    ]
