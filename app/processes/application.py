"""The API as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

import rowlock
from app.api import (
    admin,
    dependencies,
    leases,
    me,
    ops,
    queue_groups,
    queue_settings,
    schedules,
    system,
    tags,
    tasks,
    workers,
)
from app.api.openapi.document import openapi_of
from app.api.openapi.swagger import show_swagger
from app.api.page import show_page
from app.api.services import Services
from app.http.admission import BodyAdmission
from app.http.auth import Doorkeeper
from app.http.dispatch import Dispatch
from app.http.problems import on_error
from app.http.request_log import RequestLog
from app.processes import doctor
from app.queue import processes
from app.runtime.logging import configure_logging
from app.service.presence import Presence
from app.service.resources import BATCHES, Resources
from app.settings import Settings

_SUMMARY: Final = "Background tasks for people who already run MySQL."


class Application(FastAPI):
    """FastAPI declares the routes and documents them; `Dispatch` runs them."""

    def build_middleware_stack(self) -> ASGIApp:
        otherwise = super().build_middleware_stack()
        return RequestLog(
            Dispatch(self.routes, otherwise=otherwise),
            logs_requests=self.state.settings.log_level == "debug",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # FastAPI's own asks on each request whether somebody traces it.
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)


def create_app(settings: Settings | None = None, *, batches_under_way: int = BATCHES) -> FastAPI:
    """The application; its connections open with its lifespan."""
    settings = settings or Settings()
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = services = Services(
            Resources(settings, batches_under_way=batches_under_way),
            partial(doctor.examine, settings),
        )
        await services.resources.redis.open()  # `/metrics` says how it is from the beginning
        presence = Presence(services.resources.database, processes.API)
        presence.begin()
        services.workers.begin()
        try:
            yield
        finally:
            await presence.end()
            await app.state.services.close()

    app = Application(
        title="Rowlock",
        summary=_SUMMARY,
        version=rowlock.__version__,
        lifespan=lifespan,
        exception_handlers={HTTPException: on_error, Exception: on_error},
        openapi_url=None,  # as the page is: ready-made, by `show_swagger`
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.doorkeeper = Doorkeeper(settings)
    app.state.admission = BodyAdmission()
    of_queues = (admin, queue_settings, queue_groups)
    for router in (tasks, schedules, tags, leases, *of_queues, workers, system, ops, me):
        app.router.routes.extend(router.router.routes)
    for more in (dependencies.clients, dependencies.workers, ops.figures):
        app.router.routes.extend(more.routes)
    show_swagger(app)
    if settings.ui == "on":
        show_page(app)
    app.openapi = lambda: openapi_of(app)  # type: ignore[method-assign]
    return app
