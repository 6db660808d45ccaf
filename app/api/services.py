"""The use cases, as endpoints get them."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from app.service.admin import AdminService
from app.service.client import ClientService
from app.service.platform import Platform
from app.service.worker import WorkerService


class Services:
    """One process's use cases."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.client = ClientService(platform)
        self.worker = WorkerService(platform)
        self.admin = AdminService(platform)

    async def close(self) -> None:
        """Answer what was accepted, then let go of MySQL and Redis."""
        self.platform.close_doors()
        await self.client.drain()
        await self.worker.drain()
        await self.platform.close()


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Service = Annotated[Services, Depends(services_of)]


def hang_up_of(request: Request) -> Callable[[], Awaitable[bool]]:
    """Whether the caller of a long poll has gone, as far as is known at this very moment."""

    async def is_gone() -> bool:
        # Begun and dropped, not waited for: in a turn of the event loop the caller could go, and
        # what is handed out upon the answer would reach nobody.
        receiving = request.receive().__await__()
        try:
            next(receiving)
        except StopIteration as end:
            return bool(end.value["type"] == "http.disconnect")
        receiving.close()
        return False

    return is_gone
