"""Schedules that nobody has looked at for a while, and what came of them."""

from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from sqlalchemy import Engine

from tests.support.calls import Document
from tests.support.elapse import mysql_now
from tests.support.factories import ScheduleFactory

HOUR: Final = timedelta(hours=1)


def due_since(engine: Engine, *occurrences_ago: timedelta, **fields: Any) -> list[datetime]:
    """A schedule "a" that occurred so long ago, a minute apart or as said, and nobody looked."""
    now = mysql_now(engine).replace(microsecond=0)
    first = max(occurrences_ago)
    made: dict[str, Any] = {
        "name": "a",
        "interval_seconds": 60,
        "starts_at": now - first,
        "created_at": now - first - HOUR,
        "considered_at": now - first - timedelta(seconds=1),
    }
    ScheduleFactory(**made | fields)
    return [now - ago for ago in occurrences_ago]


async def runs(api: httpx.AsyncClient, name: str = "a") -> list[Document]:
    return list((await api.get(f"/schedules/{name}/runs?limit=1000")).json())


async def tasks(api: httpx.AsyncClient) -> list[Document]:
    return list((await api.get("/tasks?order=asc&limit=1000")).json())


def tasks_of(found: list[Document]) -> list[tuple[str, int | None]]:
    """What came of the occurrences, oldest first."""
    return [(run["outcome"], run["task_id"]) for run in reversed(found)]
