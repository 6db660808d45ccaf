"""4. Many tasks a call: submitted by 500, and claimed and finished by 100, against a bare INSERT
of the same rows."""

import time
from collections.abc import Iterator
from typing import Any, Final

from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import WAITING, inserts, keep_waiting
from bench.session import Session
from bench.stack import Api, Site

SUBMIT_SIZE, SUBMIT_CONNECTIONS = 500, 4
CYCLE_SIZE, CYCLE_CONNECTIONS = 100, 8
# Stated for a machine on which the bare INSERT makes 50,000 rows a second.
SCALE: Final = 50_000
LEAST_SUBMITTED, LEAST_THROUGH = 12_000, 8_000
ENOUGH_A_SECOND: Final = 30_000


class Bare:
    """Multi-row INSERTs of ready-made text into a table like `tasks`, indexes and checks and
    all; one connection, a commit each."""

    def __init__(self, site: Site) -> None:
        self._connection = site.connect()
        site.run("CREATE TABLE bare LIKE tasks")
        site.run(*inserts(WAITING, SUBMIT_SIZE, table="bare"))
        names = list(WAITING)
        rows = site.rows(f"SELECT {', '.join(names)} FROM bare")
        values = ", ".join(self._literals(row) for row in rows)
        self._statement = f"INSERT INTO bare ({', '.join(names)}) VALUES {values}"

    def run(self, seconds: float) -> Run:
        began = time.perf_counter()
        statements = sum(1 for _ in self._statements(began + seconds))
        rows = statements * SUBMIT_SIZE
        return Run(rows, rows / (time.perf_counter() - began))

    def _statements(self, until: float) -> Iterator[None]:
        cursor = self._connection.cursor()
        while time.perf_counter() < until:
            cursor.execute(self._statement)
            yield

    def _literals(self, row: tuple[Any, ...]) -> str:
        return f"({', '.join(self._connection.literal(value) for value in row)})"


def run(session: Session) -> list[Result]:
    seconds = session.options.seconds
    with session.site("bulk") as site:
        bare = Bare(site)
        api = site.serve()
        bare.run(1.0)
        session.warm_up(api, "submit_many", SUBMIT_CONNECTIONS, size=SUBMIT_SIZE)
        session.warm_up(api, "cycle_many", CYCLE_CONNECTIONS, size=CYCLE_SIZE)
        runs = interleave(
            session.options.rounds,
            {
                "bare": lambda: bare.run(seconds),
                "submitted": lambda: session.load(
                    api, "submit_many", SUBMIT_CONNECTIONS, size=SUBMIT_SIZE, queue="untouched"
                ),
                "through": lambda: _through(session, site, api),
            },
        )
    return [
        Result(
            name=name,
            figure=rate(runs[kind]),
            unit="tasks/s",
            reference=rate(runs["bare"]),
            ratio=(found := ratio(runs[kind], runs["bare"])),
            target=f"≥ {least:,}/s, or ≥ {least / SCALE:.2f}",
            ok=rate(runs[kind]) >= least or found >= least / SCALE,
            how=f"{what}; the reference is one connection that inserts the same rows by "
            f"{SUBMIT_SIZE} into a table like `tasks`, as ready-made text, a commit each. The "
            f"target is for a machine on which that makes {SCALE:,} rows/s.",
            details=details({kind: runs[kind], "bare": runs["bare"]}),
        )
        for name, kind, least, what in (
            (
                "4 · submitted by POST /tasks/batch",
                "submitted",
                LEAST_SUBMITTED,
                f"{SUBMIT_CONNECTIONS} connections, {SUBMIT_SIZE} tasks a call",
            ),
            (
                "4 · claimed and finished by 100",
                "through",
                LEAST_THROUGH,
                f"{CYCLE_CONNECTIONS} connections, a claim of {CYCLE_SIZE}, then one "
                f"`POST /leases/finish` of {CYCLE_SIZE}",
            ),
        )
    ]


def _through(session: Session, site: Site, api: Api) -> Run:
    keep_waiting(site, int(ENOUGH_A_SECOND * session.options.seconds))
    return session.load(api, "cycle_many", CYCLE_CONNECTIONS, size=CYCLE_SIZE)
