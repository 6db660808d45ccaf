"""The guarded write: a row that is not what it was decided upon is not written, nor is any
other of its batch."""

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.domain.errors import GuardFailedError
from app.domain.task import Task
from app.mysql.connection import Connection
from app.queue import statements
from app.service.resources import Resources
from tests.support.calls import claim, get, submit
from tests.support.factories import TaskFactory
from tests.support.worker_calls import finish


async def locked(connection: Connection, ids: list[int]) -> list[Task]:
    found = await statements.lock_tasks(connection, ids)
    return [found[task_id] for task_id in ids]


def titles(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT title FROM tasks ORDER BY id")).scalars())


@pytest.mark.parametrize("wrong", [{"status": "paused"}, {"attempt": 7}, {"id": 999_999_999}])
async def test_one_guard_that_fails_rolls_the_whole_batch_back(
    resources: Resources, session: Session, engine: Engine, wrong: dict[str, Any]
) -> None:
    ids = [task.id for task in TaskFactory.create_batch(3, title="before")]

    async def write(connection: Connection) -> None:
        first, second, third = await locked(connection, ids)
        olds = (first, second._replace(**wrong), third)
        await statements.move(connection, [(old, old._replace(title="after")) for old in olds])

    with pytest.raises(GuardFailedError, match="matched 2 rows instead of 3"):
        await resources.database.transact(write)
    assert titles(engine) == ["before"] * 3


async def test_what_a_batch_wrote_before_its_guard_failed_is_rolled_back_too(
    resources: Resources, session: Session, engine: Engine
) -> None:
    ids = [task.id for task in TaskFactory.create_batch(2, title="before")]

    async def write(connection: Connection) -> None:
        first, second = await locked(connection, ids)
        await statements.move(connection, [(first, first._replace(title="after"))])
        await statements.move(
            connection, [(second._replace(attempt=9), second._replace(title="after"))]
        )

    with pytest.raises(GuardFailedError):
        await resources.database.transact(write)
    assert titles(engine) == ["before"] * 2


async def test_each_row_gets_what_was_decided_for_it_and_keeps_the_rest(
    resources: Resources, session: Session, engine: Engine
) -> None:
    before = TaskFactory.create_batch(3, title="before", payload="[1]")
    ids = [task.id for task in before]

    async def write(connection: Connection) -> list[tuple[Task, Task]]:
        first, second, third = await locked(connection, ids)
        moves = [
            (first, first._replace(title="first")),
            (second, second._replace(title="second", error="no")),
            (third, third),
        ]
        await statements.move(connection, moves)
        return moves

    moves = await resources.database.transact(write)
    after = await resources.database.transact(lambda connection: locked(connection, ids))
    assert after == [new for _, new in moves]


async def test_a_move_that_changes_nothing_is_no_failed_guard(
    resources: Resources, session: Session
) -> None:
    ids = [task.id for task in TaskFactory.create_batch(2)]

    async def write(connection: Connection) -> None:
        rows = await locked(connection, ids)
        await statements.move(connection, [(row, row) for row in rows])
        await statements.move(connection, [])

    await resources.database.transact(write)


async def test_a_batch_too_large_for_one_statement_is_written_in_several(
    api: httpx.AsyncClient,
) -> None:
    """Together three times what one statement may hold."""
    for _ in range(45):
        await submit(api)
    leases = await claim(api, limit=45)
    results = {
        lease["lease_id"]: f"{number:03}" + "x" * 250_000 for number, lease in enumerate(leases)
    }
    answer = await finish(
        api,
        *(
            {"lease_id": lease_id, "outcome": "complete", "result": result}
            for lease_id, result in results.items()
        ),
    )

    assert {item["status"] for item in answer["items"]} == {200}
    for lease in leases:
        task = await get(api, lease["task"]["id"])
        assert task["result"] == results[lease["lease_id"]]
