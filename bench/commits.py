"""15. Commits of plain rows by two connections, nothing of ours running: what MySQL's own take."""

import threading
import time
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
    latencies: list[float] = []
    with session.site("commits") as site:
        site.run(TABLE)
        connections = [
            threading.Thread(target=_commit, args=(site, latencies)) for _ in range(CONNECTIONS)
        ]
        for connection in connections:
            connection.start()
        for connection in connections:
            connection.join()
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


def _commit(site: Site, latencies: list[float]) -> None:
    connection: Any = site.connect()
    connection.autocommit(False)
    cursor, row = connection.cursor(), "x" * ROW_BYTES
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        cursor.execute("INSERT INTO plain (text) VALUES (%s)", (row,))
        began = time.perf_counter()
        connection.commit()
        latencies.append(1000 * (time.perf_counter() - began))
    connection.close()
