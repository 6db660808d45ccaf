"""Waiting for tasks, and what is shown of them then."""

import sys
from collections.abc import Iterable
from http.client import INTERNAL_SERVER_ERROR
from time import monotonic, sleep
from typing import Final

from rowlock.cli import render
from rowlock.cli.columns import show_ends, show_tasks
from rowlock.cli.connection import fail, sentence
from rowlock.cli.exit_codes import NOT_IN_TIME, TASK_NOT_DONE
from rowlock.client.sync_client import Client
from rowlock.errors import UnavailableError, UnreachableError, WaitTimeoutError
from rowlock.models import Task

# Between looks whether a server that is away is back.
_AWAY_SECONDS: Final = 1.0


def wait_for(client: Client, ids: list[int], seconds: float | None) -> list[Task]:
    """The tasks once they have ended, however often the server goes away meanwhile. Those that
    have not in time end the command."""
    until = None if seconds is None else monotonic() + seconds
    try:
        return [_wait_for(client, task_id, until) for task_id in ids]
    except WaitTimeoutError as error:
        fail(f"{str(error).capitalize()}.", NOT_IN_TIME)


def wait_for_new(client: Client, task: Task, *, is_quiet: bool) -> Task:
    """The same of a task that has just been submitted; its id is told, for who gives up."""
    if not is_quiet:
        print(f"Waiting for task {task.id} …", file=sys.stderr)
    (ended,) = wait_for(client, [task.id], None)
    return ended


def show_all(tasks: Iterable[Task], *, as_json: bool) -> None:
    """A line a task."""
    if not as_json:
        show_tasks(tasks)
        return
    for task in tasks:
        render.show_json(task)


def show_how_ended(tasks: list[Task], *, as_json: bool) -> None:
    """A line a task, with what came of it. One that is not done ends the command."""
    if as_json:
        show_all(tasks, as_json=True)
    else:
        show_ends(tasks)
    if any(task.status != "done" for task in tasks):
        sys.exit(TASK_NOT_DONE)


def _wait_for(client: Client, task_id: int, until: float | None) -> Task:
    is_away = False
    while True:
        try:
            return client.wait(task_id, None if until is None else max(until - monotonic(), 0))
        except (UnreachableError, UnavailableError) as error:
            if isinstance(error, UnavailableError) and error.status == INTERNAL_SERVER_ERROR:
                raise
            if not is_away:
                print(f"rowlock: {sentence(error)}\nStill waiting …", file=sys.stderr)
            is_away = True
            sleep(_AWAY_SECONDS)
