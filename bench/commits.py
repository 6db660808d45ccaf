"""15. Commits of plain rows by two connections, nothing of ours running: what MySQL's own take."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Final

from bench.result import Result, percentiles
from bench.session import Session
from bench.stack import Site

CONNECTIONS: Final = 2
ROW_BYTES: Final = 12_000
STALLED_MS: Final = 50.0
SECONDS: Final = 60.0
TABLE: Final = "CREATE TABLE plain (id BIGINT AUTO_INCREMENT PRIMARY KEY, text MEDIUMTEXT)"


def run(session: Session) -> list[Result]:
    with session.site("commits") as site, ThreadPoolExecutor(CONNECTIONS) as pool:
        site.run(TABLE)
        latencies = list(chain(*pool.map(_commit, [site] * CONNECTIONS)))
    stalled = [ms for ms in latencies if ms > STALLED_MS]
    return [
        Result(
            name=f"15 · plain commits that take over {STALLED_MS:g} ms",
            figure=1_000_000 * len(stalled) / len(latencies),
            unit="of a million",
            target="–",
            ok=None,
            how=f"{CONNECTIONS} connections of PyMySQL, a row of {ROW_BYTES:,} bytes a commit, a "
            "plain table, no Rowlock: what a claim may meet, too.",
            details={
                "commits, and those over it": [len(latencies), len(stalled)],
                "milliseconds": percentiles(latencies),
            },
        )
    ]


def _commit(site: Site) -> list[float]:
    """How many milliseconds each took."""
    connection: Any = site.connect()
    connection.autocommit(False)
    cursor, row = connection.cursor(), "x" * ROW_BYTES
    latencies: list[float] = []
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        cursor.execute("INSERT INTO plain (text) VALUES (%s)", (row,))
        began = time.perf_counter()
        connection.commit()
        latencies.append(1000 * (time.perf_counter() - began))
    connection.close()
    return latencies
