"""Limits of queues and groups, and what the tables say of them."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import Engine, text

from tests.support.calls import Document, claim, document

_RUNNING = (
    "SELECT group_key, COUNT(*) FROM tasks WHERE status = 'in_progress' AND queue = :queue "
    "GROUP BY group_key"
)
_FLAGS = (
    "SELECT queue, {key}, "
    "COALESCE(SUM(flags & {has} > 0 AND status IN ('to_do', 'retrying', 'in_progress')), 0), "
    "COALESCE(SUM({waits} AND status IN ('to_do', 'retrying') AND claim_rank IS NULL "
    "AND flags & 2 = 0 AND sweep_at = '9999-12-31'), 0) FROM tasks "
    "WHERE flags & {needs} > 0 GROUP BY queue, {key}"
)
OF_GROUPS = {
    "key": "group_key",
    "needs": 4,
    "has": 8,
    "waits": "flags & 8 = 0",
}
OF_QUEUES = {
    "key": "''",
    "needs": 16,
    "has": 32,
    "waits": "flags & 32 = 0 AND (flags & 4 = 0 OR flags & 8 > 0)",
}

Standing = dict[tuple[str, str], tuple[int, int]]


async def limit(api: httpx.AsyncClient, queue: str = "default", **settings: Any) -> Document:
    """What the queue has been given."""
    answer = await api.put(f"/admin/queues/{queue}/settings", json=settings)
    assert answer.status_code == 200, answer.text
    return document(answer)


async def claimed(
    api: httpx.AsyncClient, limit: int = 100, *, until: int = 0, **fields: Any
) -> list[Document]:
    """All the leases there are to have; `until` there were so many: what another process has made
    claimable may be overlooked for a second."""
    leases = await claim(api, limit=limit, **fields)
    async with asyncio.timeout(5):
        while len(leases) < until:
            leases += await claim(api, limit=limit, wait_seconds=1, **fields)
    return leases


def ids(leases: list[Document]) -> list[int]:
    """Of their tasks."""
    return [lease["task"]["id"] for lease in leases]


def running(engine: Engine, queue: str = "default") -> dict[str | None, int]:
    """How many tasks of each group are in progress."""
    with engine.connect() as connection:
        rows = connection.execute(text(_RUNNING), {"queue": queue}).all()
    return {row[0]: row[1] for row in rows}


def stand(engine: Engine) -> Standing:
    """How many of each group have a slot, and how many wait for one, as its row says; groups that
    nobody needs are left out."""
    statement = "SELECT queue, group_key, held, waiting FROM task_groups WHERE held OR waiting"
    with engine.connect() as connection:
        rows = connection.execute(text(statement)).all()
    return {(queue, key): (held, waiting) for queue, key, held, waiting in rows}


def should_stand(engine: Engine) -> Standing:
    """The same, as the tasks' own rows say."""
    found: Standing = {}
    with engine.connect() as connection:
        for of in (OF_GROUPS, OF_QUEUES):
            for queue, key, held, waiting in connection.execute(text(_FLAGS.format(**of))):
                if held or waiting:
                    found[queue, key] = (int(held), int(waiting))
    return found


def in_line(engine: Engine) -> int:
    """How many rows of tasks there are that wait for a slot."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM group_waits")).scalar_one())


def check(engine: Engine) -> None:
    """The tables agree."""
    standing = should_stand(engine)
    assert stand(engine) == standing
    assert in_line(engine) == sum(waiting for _, waiting in standing.values())
