"""The register of workers: MySQL is told now and then who has asked for work, and shows it."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from sys import intern
from typing import Final

import orjson
import structlog

from app.domain.errors import RowlockError
from app.domain.worker import HeldTask, Worker
from app.queue import workers
from app.queue.workers import Page, Poll
from app.runtime.steady_clock import steady_seconds
from app.service.polls import Polls
from app.service.resources import Resources

TELL_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class WorkerService:
    """Of one process. A poll writes nothing: the last of each worker is remembered, and told with
    those of others. While MySQL is away they are kept, with the time of each."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._polls = Polls()
        self._telling: asyncio.Task[None] | None = None

    def hear(
        self, worker: str, queues: Collection[str], agent: str | None, address: str | None
    ) -> None:
        """A worker has asked for tasks of these queues."""
        # Most workers have these in common: kept once.
        names = intern(orjson.dumps(sorted(queues)).decode())
        agent = None if agent is None else intern(agent)
        self._polls.hear(Poll(worker, names, agent, address, steady_seconds()))

    async def page(
        self,
        *,
        queues: Collection[str],
        seen_within_seconds: int | None,
        after: str | None,
        limit: int,
    ) -> Page:
        """Some workers, by name."""
        return await self._database.read_at_length(
            partial(
                workers.page,
                queues=queues,
                seen_within_seconds=seen_within_seconds,
                after=after,
                limit=limit,
            )
        )

    async def get(self, name: str) -> tuple[Worker, Sequence[HeldTask]]:
        """A worker and what it holds. Raises `WorkerNotFoundError`."""
        return await self._database.read_at_length(partial(workers.find, name=name))

    def begin(self) -> None:
        """Tell from now on."""
        self._telling = asyncio.get_running_loop().create_task(self._tell_on())

    async def end(self) -> None:
        """Tell what is not told yet, and nothing more."""
        if self._telling is None:
            return
        self._telling.cancel()
        await asyncio.wait([self._telling])
        with suppress(RowlockError):
            await self._tell(self._polls.untold())

    async def _tell_on(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            try:
                await self._tell(self._polls.due(steady_seconds()))
            except RowlockError:
                pass  # the next time
            except Exception:  # a bug; without this no worker would be told of any more
                log.exception("workers_not_told")

    async def _tell(self, polls: Iterable[Poll]) -> None:
        for chunk in workers.chunks(polls):
            # A statement by itself: while this process hangs it keeps no row from anybody.
            await self._database.read(partial(workers.tell, polls=chunk))
            self._polls.have_told(chunk, steady_seconds())
