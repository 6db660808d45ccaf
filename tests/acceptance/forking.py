"""Programs that fork with a client or a worker in their hands: the module is run by
`python -m tests.acceptance.forking KIND ID …`, and has handlers for `rowlock worker`."""

import asyncio
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

from rowlock import AsyncClient, Client, RunningAttempt, Task, Worker

CHILDREN = 4
CALLS = 100

worker = Worker()


def forked(does: Callable[[], object]) -> int:
    """The exit code of a child that does this, and returns to whoever called."""
    child = os.fork()
    if child == 0:
        does()
        return 0
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@worker.handler("coroutine")
async def coroutine(task: Task, _attempt: RunningAttempt) -> object:
    return forked(lambda: sys.exit(task.payload) if task.payload else None)


@worker.handler("thread")
def thread(task: Task, _attempt: RunningAttempt) -> object:
    return forked(lambda: sys.exit(task.payload) if task.payload else None)


@worker.handler("pid")
def pid(_task: Task, _attempt: RunningAttempt) -> object:
    return os.getpid()


def ended(children: Sequence[int]) -> None:
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * len(children), codes


def child_of(does: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        does()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def blocking(ids: Sequence[int]) -> None:
    client = Client(timeout_seconds=30)
    is_over = threading.Event()
    wrong = []

    def ask(task_id: int) -> None:
        found = client.get(task_id).id
        if found != task_id:
            wrong.append((task_id, found))

    def load(task_id: int) -> None:
        while not is_over.is_set():
            ask(task_id)

    def child(task_id: int) -> None:
        for _ in range(CALLS):
            ask(task_id)
        client.close()
        assert not wrong, wrong

    loads = [threading.Thread(target=load, args=(task_id,)) for task_id in ids[CHILDREN:]]
    for each in loads:
        each.start()
    ask(ids[0])
    ended([child_of(lambda task_id=task_id: child(task_id)) for task_id in ids[:CHILDREN]])  # type: ignore[misc]
    is_over.set()
    for each in loads:
        each.join()
    ask(ids[0])
    assert not wrong, wrong


async def awaited(ids: Sequence[int]) -> None:
    client = AsyncClient(timeout_seconds=30)

    async def ask(task_id: int) -> None:
        found = (await client.get(task_id)).id
        assert found == task_id, (task_id, found)

    async def load(task_id: int) -> None:
        while True:
            await ask(task_id)

    async def child(task_id: int) -> None:
        async with client:
            for _ in range(CALLS):
                await ask(task_id)

    await ask(ids[0])
    async with asyncio.TaskGroup() as group:
        loads = [group.create_task(load(task_id)) for task_id in ids[CHILDREN:]]
        for _ in range(CALLS):
            await ask(ids[0])
        children = []
        for task_id in ids[:CHILDREN]:
            group.create_task(client.submit("of the parent"))
            for _ in range(3):
                await asyncio.sleep(0)
            assert client._submits._sending
            children.append(child_of(lambda task_id=task_id: asyncio.run(child(task_id))))  # type: ignore[misc]
            await ask(task_id)
        await asyncio.to_thread(ended, children)
        await ask(ids[0])
        for each in loads:
            each.cancel()
    await ask(ids[0])


def workers(ids: Sequence[int]) -> None:
    """Three of one worker, as a program with several processes starts them."""
    client = Client()
    assert client.get(ids[0]).id == ids[0]
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=worker.run, daemon=True) for _ in range(3)]
    for child in children:
        child.start()
    for task_id in ids:
        task = client.wait(task_id, 30)
        assert (task.status, task.attempt) == ("done", 1), task
        assert task.worker is not None
        assert task.worker.endswith(f"-{task.result}"), "each has a name of its own"
    for child in children:
        child.terminate()
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]


if __name__ == "__main__":
    given = list(map(int, sys.argv[2:]))
    with suppress(KeyboardInterrupt):
        {
            "blocking": blocking,
            "asyncio": lambda ids: asyncio.run(awaited(ids)),
            "workers": workers,
        }[sys.argv[1]](given)
