"""What one side of a race does, and what the other then finds."""

from typing import Any

import httpx
from sqlalchemy import Engine, text

from app.api.submissions import SubmitTask, submission
from app.domain.states import Event
from app.domain.task import Lease, Task
from app.mysql.connection import Connection
from app.queue import edit, manage, submitting
from app.queue.attempts import lifecycle
from app.queue.attempts.claim_memory import ClaimMemory
from app.queue.requests import Claim, Finish, FinishAction, LeaseCall, Move
from app.queue.settlement import settle
from app.queue.sweeps import deadlines
from app.queue.tags import TagIds
from tests.concurrency.ordering import T, Work
from tests.support import calls


def claim(limit: int = 1, *completes: str) -> Work[list[Task]]:
    """Complete the attempts of these leases, and claim from the default queue."""
    finishes = [_completion(lease_id) for lease_id in completes]

    async def work(connection: Connection) -> list[Task]:
        call = LeaseCall(finishes, claim=Claim("other-worker", ("default",), limit))
        batch = await lifecycle.finish_and_claim(
            connection, calls=[call], memory=ClaimMemory(), given_out=[]
        )
        return batch.answers[0].claimed

    return work


def complete(lease_id: str) -> Work[Task]:
    """Complete the attempt, which the lease has to hold."""
    finish = _completion(lease_id)

    async def work(connection: Connection) -> Task:
        batch = await lifecycle.finish_and_claim(
            connection, calls=[LeaseCall([finish])], memory=ClaimMemory(), given_out=[]
        )
        (answer,) = batch.answers[0].finished
        assert isinstance(answer, Task)
        return answer

    return work


def _completion(lease_id: str) -> Finish:
    task_id, token = lease_id.split(".")
    return Finish(Lease(int(task_id), token), FinishAction.COMPLETE, result='"in time"')


def time_out(limit: int = 100) -> Work[list[Move]]:
    """One batch of the sweep that ends overdue attempts."""
    return lambda connection: deadlines.time_out_once(connection, limit=limit)


def change(task_id: int, event: Event) -> Work[manage.Managed]:
    """Management's hand on one task."""
    return lambda connection: manage.manage_tasks(
        connection, event=event, ids=[task_id], is_strict=True
    )


def patch(task_id: int, **changes: Any) -> Work[Move]:
    """A client's patch."""
    return lambda connection: edit.patch(
        connection, task_id=task_id, changes=changes, tag_names=None, tag_ids=TagIds()
    )


def submit(**fields: Any) -> Work[None]:
    """A client's new task."""
    body = SubmitTask(title="a task", **fields)

    async def work(connection: Connection) -> None:
        await submitting.submit(
            connection, submissions=[submission(body, None, None)], tag_ids=TagIds()
        )

    return work


def settled(work: Work[T]) -> Work[T]:
    """The same, with what follows from it written by then."""

    async def both(connection: Connection) -> T:
        done = await work(connection)
        await settle(connection)
        return done

    return both


def delete(task_id: int) -> Work[Task]:
    """A client's delete."""
    return lambda connection: edit.delete(connection, task_id=task_id)


async def claimed_ids(api: httpx.AsyncClient, limit: int = 10) -> list[int]:
    """The tasks that a claim over HTTP is given now."""
    leases = await calls.claim(api, worker="second", limit=limit)
    return [lease["task"]["id"] for lease in leases]


def row(engine: Engine, task_id: int) -> dict[str, Any]:
    """The task as it stands in MySQL."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM tasks WHERE id = :id"), {"id": task_id})
        return dict(found.mappings().one())
