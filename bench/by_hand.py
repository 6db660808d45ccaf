"""The queue that people write by hand: PyMySQL, one table, SKIP LOCKED, one task at a time.

    SELECT … FOR UPDATE SKIP LOCKED LIMIT 1; UPDATE; COMMIT; UPDATE done; COMMIT

on an index that serves the whole order, in eight processes. `python -m bench.by_hand URL`
"""

import sys
import time
from typing import Any, Final

from bench.remote import Job, Remote, work_off
from bench.result import BenchError, Run
from bench.rows import numbers
from bench.stack import Site, connect

PROCESSES: Final = 8

TABLE: Final = """
CREATE TABLE by_hand (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    title VARCHAR(255) NOT NULL,
    description TEXT,
    status ENUM('to_do', 'in_progress', 'done', 'failed') NOT NULL,
    priority TINYINT NOT NULL,
    queue VARCHAR(64) NOT NULL,
    payload MEDIUMTEXT,
    result MEDIUMTEXT,
    error TEXT,
    attempts INT NOT NULL DEFAULT 0,
    worker VARCHAR(255),
    timeout_seconds INT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    started_at DATETIME(6),
    completed_at DATETIME(6),
    KEY waiting (queue, status, priority, created_at, id)
) CHARACTER SET utf8mb4
"""
SELECT: Final = (
    "SELECT id, title, payload, timeout_seconds FROM by_hand "
    "WHERE queue = 'default' AND status = 'to_do' "
    "ORDER BY priority, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
)
TAKE: Final = (
    "UPDATE by_hand SET status = 'in_progress', worker = %s, attempts = attempts + 1, "
    "started_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6) WHERE id = %s"
)
DONE: Final = (
    "UPDATE by_hand SET status = 'done', result = %s, completed_at = UTC_TIMESTAMP(6), "
    "updated_at = UTC_TIMESTAMP(6) WHERE id = %s"
)
_RESULT: Final = '{"path": "/data/out.png", "bytes": 48213}'


class Workers:
    """Eight of them, on one table of the site's database."""

    def __init__(self, site: Site) -> None:
        self._site = site
        site.run(TABLE)
        url = site.settings.database_url
        self._workers = [Remote("bench.by_hand", url) for _ in range(PROCESSES)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.close()

    def fill(self, count: int) -> None:
        """More tasks to do."""
        columns = "title, description, status, priority, queue, payload, timeout_seconds"
        for select in numbers(count):
            self._site.run(
                f"INSERT INTO by_hand ({columns}, created_at, updated_at) "
                "SELECT CONCAT('resize image ', n), 'to half its width, for the catalogue', "
                "'to_do', n % 3, 'default', "
                """CONCAT('{"path":"/data/', n, '.png","width":640}'), 60, """
                "UTC_TIMESTAMP(6) + INTERVAL n MICROSECOND, UTC_TIMESTAMP(6) "
                f"FROM ({select}) AS numbers"
            )

    def run(self, seconds: float) -> Run:
        """All of them for so long; cycles a second."""
        for worker in self._workers:
            worker.send({"seconds": seconds})
        outcomes = [worker.receive() for worker in self._workers]
        cycles = sum(outcome["cycles"] for outcome in outcomes)
        cpu = sum(outcome["cpu_seconds"] for outcome in outcomes)
        return Run(
            cycles,
            cycles / max(outcome["seconds"] for outcome in outcomes),
            cpu_us={"workers": 1e6 * cpu / max(cycles, 1)},
        )


def _cycles(connection: Any, seconds: float) -> int:
    count = 0
    until = time.perf_counter() + seconds
    cursor = connection.cursor()
    while time.perf_counter() < until:
        cursor.execute(SELECT)
        row = cursor.fetchone()
        if row is None:
            raise BenchError("no task is left to do by hand")
        cursor.execute(TAKE, ("bench-1", row[0]))
        connection.commit()
        cursor.execute(DONE, (_RESULT, row[0]))
        connection.commit()
        count += 1
    return count


def main(url: str) -> None:
    connection = connect(url)
    connection.autocommit(False)

    def run(job: dict[str, Any]) -> Job:
        began, cpu = time.perf_counter(), time.process_time()
        cycles = _cycles(connection, float(job["seconds"]))
        return {
            "cycles": cycles,
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
        }

    work_off(run)


if __name__ == "__main__":
    main(sys.argv[1])
