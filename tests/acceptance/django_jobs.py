"""A Django project in the tests' own process, and its tasks."""

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from rowlock import Permanent, Retry

if not settings.configured:
    settings.configure(
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "rowlock.django",
            *([] if django.VERSION >= (6,) else ["django_tasks"]),
        ],
        TASKS={"default": {"BACKEND": "rowlock.django.RowlockBackend", "QUEUES": []}},
    )
    django.setup()

if TYPE_CHECKING:
    from django.tasks import TaskContext, task

    Context = TaskContext[..., Any]
elif django.VERSION >= (6,):
    from django.tasks import TaskContext as Context
    from django.tasks import task
else:
    from django_tasks import TaskContext as Context
    from django_tasks import task

__all__ = ["task"]

# What the tasks have seen, in the order in which they ran.
seen: list[Any] = []
began = asyncio.Event()


class Unpayable(Exception):  # noqa: N818
    """An exception of the project's own."""


@task
def add(left: int, right: int = 0) -> dict[str, Any]:
    seen.append((left, right, threading.current_thread() is threading.main_thread()))
    return {"sum": left + right, "名": ("a", 1.5, None)}


@task
async def add_async(left: int, right: int = 0) -> dict[str, Any]:
    seen.append((left, right, threading.current_thread() is threading.main_thread()))
    return {"sum": left + right, "名": ("a", 1.5, None)}


@task
def pay(cents: int) -> None:
    raise Unpayable(f"{cents} cents\nin two lines")


@task
async def pay_async(cents: int) -> None:
    raise Unpayable(f"{cents} cents\nin two lines")


@task
def verdict(kind: str) -> None:
    raise Permanent("no such customer") if kind == "permanent" else Retry("busy", after_seconds=0)


@task
def give(kind: str) -> object:
    return {"time": settings, "much": "x" * 300_000, "nan": float("nan")}[kind]


@task(takes_context=True)
def tell(context: Context, fails: int) -> int:
    return _tell(context, fails)


@task(takes_context=True)
async def tell_async(context: Context, fails: int) -> int:
    return _tell(context, fails)


def _tell(context: Context, fails: int) -> int:
    result = context.task_result
    classes = [error.exception_class for error in result.errors]
    seen.append((context.attempt, str(result.status), classes, list(result.worker_ids)))
    if context.attempt <= fails:
        raise KeyError(context.attempt)
    return context.attempt


@task
async def hang() -> None:
    seen.append("began")
    began.set()
    try:
        await asyncio.Event().wait()
    finally:
        seen.append("ended")


@task
def connect() -> None:
    connections["default"].ensure_connection()
    seen.append(connections["default"])


@task
async def connect_async() -> None:
    await sync_to_async(connect.func)()
