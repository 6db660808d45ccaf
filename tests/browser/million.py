"""A platform with a history: a million tasks, most of them done long ago."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from app.local.binary import ServerBinary
from app.local.mysql import MySQLServer
from bench.rows import DONE, WAITING, inserts
from tests.acceptance.deployment import Api, Deployment, until
from tests.browser.stock import post

ALL_DOORS, VIEWER = "opens-all-doors", "only-looks"
ALL: Final = 1_000_000
LATE, BROKEN = 1248, 312
IMAGES: Final = 40_000

_OLD: Final = {
    **DONE,
    "queue": "ELT(1 + n % 5, 'images', 'mail', 'search', 'thumbnails', 'reports')",
    # Over the last six days.
    "created_at": "UTC_TIMESTAMP(6) - INTERVAL 7 DAY + INTERVAL n * 500 * 1000 MICROSECOND",
    "completed_at": "UTC_TIMESTAMP(6) - INTERVAL 7 DAY + INTERVAL 3 + n / 2 SECOND",
}
_WAITING_SINCE: Final = "UTC_TIMESTAMP(6) - INTERVAL {} SECOND + INTERVAL n MICROSECOND"
_IMAGES: Final = {
    **WAITING,
    "queue": "'images'",
    "created_at": _WAITING_SINCE.format(20),
    "turn_at": _WAITING_SINCE.format(20),
}
# A quarter of them cannot be done until somebody mends what they need.
_LATE: Final = {
    **WAITING,
    "title": "CONCAT('Monthly report for customer ', n)",
    "queue": "'reports'",
    "payload": f'IF(n % {LATE // BROKEN} = 0, \'{{"from": "archive"}}\', \'{{"from": "live"}}\')',
    "created_at": _WAITING_SINCE.format(1500),
    "turn_at": _WAITING_SINCE.format(1500),
}


@pytest.fixture
def deployment(tmp_path: Path, mysql_binary: ServerBinary, redis_url: str) -> Iterator[Deployment]:
    """One that wants tokens, on a MySQL of its own: durable, so that its page says nothing of it,
    and nobody else's statistics suffer from the rows."""
    doors = {f"{door}_TOKENS": ALL_DOORS for door in ("CLIENT", "WORKER", "ADMIN")}
    settings = {**doors, "VIEWER_TOKENS": VIEWER}
    with (
        MySQLServer(
            tmp_path / "mysql",
            binary=mysql_binary,
            extra=["--loose-binlog-transaction-compression=ON"],
        ) as mysql,
        closing(
            Deployment(tmp_path, database_url=mysql.url, redis_url=redis_url, settings=settings)
        ) as deployment,
    ):
        yield deployment


@pytest.fixture
def api(deployment: Deployment) -> Api:
    """With a scheduler at work, and the tasks."""
    api = deployment.serve()
    api.http.headers["Authorization"] = f"Bearer {ALL_DOORS}"
    deployment.schedule()
    fill(deployment, api)
    return api


def fill(deployment: Deployment, api: Api) -> None:
    """A million tasks. Those of `reports` wait for a worker that was stopped 25 minutes ago."""
    post(api, "/leases", {"worker": "reports-old", "queues": ["reports"]})
    until(lambda: bool(api.http.get("/admin/workers").json()), "the register has heard of it")
    deployment.execute(
        "UPDATE workers SET first_seen_at = first_seen_at - INTERVAL 1 DAY, "
        "last_seen_at = last_seen_at - INTERVAL 25 MINUTE"
    )
    for columns, count in ((_OLD, ALL - IMAGES - LATE), (_IMAGES, IMAGES), (_LATE, LATE)):
        for statement in inserts(columns, count):
            deployment.execute(statement.replace(":", r"\:"))  # no parameters
    deployment.execute("ANALYZE TABLE tasks")
    deployment.run("recount")
