"""What tests do with a Django project's tasks."""

from typing import Any

from rowlock.django.contract import AnyResult
from rowlock.django.management.commands.rowlock_worker import worker_of

KINDS = ["sync", "async"]
QUEUES = ["default", "mail", "slow"]


async def enqueued(kind: str, task: Any, *args: Any, **kwargs: Any) -> AnyResult:
    result: AnyResult = (
        await task.aenqueue(*args, **kwargs) if kind == "async" else task.enqueue(*args, **kwargs)
    )
    return result


async def result_of(kind: str, of: Any, result_id: str) -> AnyResult:
    result: AnyResult = (
        await of.aget_result(result_id) if kind == "async" else of.get_result(result_id)
    )
    return result


async def refreshed(kind: str, result: AnyResult) -> AnyResult:
    if kind == "async":
        await result.arefresh()
    else:
        result.refresh()
    return result


async def work(alias: str = "default") -> None:
    await worker_of(alias).run_async(drain=True)
