"""`manage.py rowlock_worker`."""

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rowlock.django.backend import RowlockBackend
from rowlock.django.contract import DEFAULT_TASK_BACKEND_ALIAS, InvalidTaskBackend, task_backends
from rowlock.django.execution import DjangoTasks
from rowlock.errors import RowlockError
from rowlock.printable import HarmlessLines
from rowlock.worker.worker import Worker


class Command(BaseCommand):
    """Runs the tasks of a backend. SIGTERM, SIGINT and SIGHUP let running tasks end."""

    help = "Claims and runs the tasks of a Rowlock backend, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options, as `rowlock worker` has them where it has the same."""
        parser.add_argument(
            "--backend",
            default=DEFAULT_TASK_BACKEND_ALIAS,
            metavar="ALIAS",
            help="The backend in TASKS whose server and queues are served. (default: default)",
        )
        parser.add_argument(
            "-q",
            "--queue",
            action="append",
            metavar="QUEUE",
            help="Queue to claim from; repeat for several, the first named served first. "
            "(default: the backend's QUEUES)",
        )
        parser.add_argument(
            "-c", "--concurrency", type=int, default=1, help="Tasks run at a time. (default: 1)"
        )
        parser.add_argument(
            "--once", action="store_true", help="Exit when there is no task to claim."
        )

    def handle(
        self,
        *,
        backend: str,
        queue: list[str] | None,
        concurrency: int,
        once: bool,
        **_options: Any,
    ) -> None:
        """Raises `CommandError` for what cannot be run, and where the worker ended with an
        error."""
        try:
            worker = worker_of(backend, queue, concurrency)
        except (ValueError, InvalidTaskBackend) as error:
            raise CommandError(str(error)) from error
        self._configure_log()
        try:
            worker.run(drain=once)
        except RowlockError as error:
            raise CommandError(str(error)) from error

    def _configure_log(self) -> None:
        """To stderr; not where the project's LOGGING has seen to it."""
        log = logging.getLogger("rowlock")
        if log.hasHandlers():
            return
        handler = logging.StreamHandler(self.stderr)
        handler.setFormatter(HarmlessLines("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel("INFO")


def worker_of(alias: str, queues: list[str] | None = None, concurrency: int = 1) -> Worker:
    """The worker for a backend. Raises `ValueError` for what it cannot serve."""
    backend = task_backends[alias]
    if not isinstance(backend, RowlockBackend):
        raise ValueError(f"TASKS[{alias!r}] is not a RowlockBackend.")  # noqa: TRY004
    strange = sorted({*(queues or ())} - backend.queues)
    if backend.queues and strange:
        raise ValueError(f"TASKS[{alias!r}] has no queue {', '.join(map(repr, strange))}.")
    served = queues or list(backend.queue_names)
    if not served:
        raise ValueError(f"Name queues by --queue: TASKS[{alias!r}] has any.")
    worker = Worker(
        served,
        concurrency,
        url=backend.options.get("url"),
        token=backend.options.get("token"),
    )
    worker.handler(DjangoTasks())
    return worker
