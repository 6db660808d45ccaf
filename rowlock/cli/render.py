"""What commands show of one thing: fields for people, JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from rowlock.cli.table import cell, show_table
from rowlock.cli.terminal import cells, padded, styled
from rowlock.models import Attempt, Task, WorkerDetails
from rowlock.printable import harmless, harmless_json


def show_json(value: BaseModel | Mapping[str, Any]) -> None:
    """One document, one line."""
    print(json_line(value), flush=True)


def json_line(value: BaseModel | Mapping[str, Any]) -> str:
    """A document on one line, that can do nothing to a terminal."""
    return harmless_json(to_json(value).decode())


def show_fields(value: BaseModel, *, but: str = "") -> None:
    """A line a field but for one; those that are empty are left out."""
    fields = value.model_dump(exclude={but})
    fields = {name: value for name, value in fields.items() if value not in (None, [])}
    names = [harmless(name) for name in fields]
    widest = max(map(cells, names))
    for name, said in zip(names, fields.values(), strict=True):
        shown = cell(str(said) if isinstance(said, int) else said)
        print(f"{styled(padded(name, widest), 'bold')}  {styled(*shown)}")


def show_worker(worker: WorkerDetails) -> None:
    """All of a worker: its fields, then the tasks that it holds."""
    show_fields(worker, but="leases")
    if worker.leases:
        print()
        show_table(
            ("id", "title", "queue", "attempt", "started", "deadline"),
            (
                (str(t.task_id), t.title, t.queue, t.attempt, t.started_at, t.deadline)
                for t in worker.leases
            ),
            droppable=("deadline", "attempt", "queue"),
        )


def show_task(task: Task, attempts: Sequence[Attempt]) -> None:
    """All of a task: its fields, then its attempts."""
    show_fields(task)
    if attempts:
        print()
        show_table(
            ("attempt", "outcome", "worker", "started", "finished", "error"),
            (
                (a.attempt, a.outcome, a.worker, a.started_at, a.finished_at, a.error)
                for a in attempts
            ),
            droppable=("worker", "finished", "started"),
        )
