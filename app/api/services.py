"""The use cases, as endpoints get them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Request

from app.api.queue_stats import stats_page
from app.api.readiness import Parts, parts_of
from app.domain.findings import Finding
from app.http.exchange import exchange_of
from app.runtime.light_event import LightEvent
from app.runtime.steady_clock import steady_seconds
from app.service.admin import AdminService
from app.service.bulk import BulkService
from app.service.coalescer import Coalescer
from app.service.flows import FlowService
from app.service.leases import LeaseService
from app.service.pages import PageService
from app.service.reads import ReadService
from app.service.resources import Resources
from app.service.schedules import ScheduleService
from app.service.shared_answers import SharedAnswers
from app.service.tasks import TaskService
from app.service.why import WhyService
from app.service.workers import WorkerService

ASKED_AT_ONCE: Final = 10_000
STATS_SECONDS: Final = 1.0
EXAMINATION_SECONDS: Final = 60.0


class Examination(NamedTuple):
    """What `rowlock doctor` found, and when, by the steady clock."""

    findings: Sequence[Finding]
    at: float


class Services:
    """One process's use cases."""

    def __init__(self, resources: Resources, examine: Callable[[], Sequence[Finding]]) -> None:
        self.resources = resources
        self._examine = examine
        self.reads = ReadService(resources)
        self.pages = PageService(resources)
        self.why = WhyService(resources)
        self.tasks = TaskService(resources, self.reads, self.pages)
        self.schedules = ScheduleService(resources, self.reads)
        self.leases = LeaseService(resources)
        self.admin = AdminService(resources)
        self.bulk = BulkService(resources)
        self.flows = FlowService(resources, self.admin)
        self.workers = WorkerService(resources)
        # Anybody may ask, and all who ask at once are told the same.
        self.parts: Coalescer[None, Parts] = Coalescer(self._look, limit=ASKED_AT_ONCE)
        # However many pages are open, it costs as much as one.
        self.stats = SharedAnswers(partial(stats_page, self.admin), seconds=STATS_SECONDS)
        self.examination = SharedAnswers(self._examined, seconds=EXAMINATION_SECONDS)

    async def close(self) -> None:
        """Answer what was accepted, then let go of MySQL and Redis."""
        self.resources.close_doors()
        await self.tasks.drain()
        await self.reads.drain()
        await self.leases.drain()
        await self.stats.drain()
        await self.examination.drain()
        await self.workers.end()
        await self.resources.close()

    async def _look(self, callers: Sequence[None]) -> list[Parts]:
        return [await parts_of(self.resources)] * len(callers)

    async def _examined(self, _: None) -> Examination:
        began = steady_seconds()
        # It waits for servers that may be away, and asks them one after the other.
        return Examination(await asyncio.to_thread(self._examine), began)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Service = Annotated[Services, Depends(services_of)]


def gone_of(request: Request) -> LightEvent | None:
    """Set once the caller of a long poll has gone. None: that is not told here."""
    exchange = exchange_of(request)
    return None if exchange is None else exchange.gone
