"""The API as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_swagger import patch_fastapi
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

import rowlock
from app.api import admin, leases, ops, tags, tasks
from app.api.auth import Door, Doorkeeper
from app.api.dispatch import Dispatch
from app.api.door import DoorRoute
from app.api.envelope import Envelope
from app.api.problems import on_error
from app.api.schemas import Problem
from app.api.services import Services
from app.logging import configure_logging
from app.service.platform import Platform
from app.settings import Settings

_SUMMARY: Final = "Background tasks for people who already run MySQL."
_SCHEMES: Final = {
    door: {"type": "http", "scheme": "bearer", "description": f"A token of the {door} door."}
    for door in (Door.CLIENT, Door.WORKER, Door.ADMIN)
}


class Application(FastAPI):
    """FastAPI declares the routes and documents them; `Dispatch` runs them."""

    def build_middleware_stack(self) -> ASGIApp:
        otherwise = super().build_middleware_stack()
        return Envelope(Dispatch(self.routes, otherwise=otherwise))


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; its connections open with its lifespan."""
    settings = settings or Settings()
    configure_logging(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = Services(Platform(settings))
        try:
            yield
        finally:
            await app.state.services.close()

    app = Application(
        title="Rowlock",
        summary=_SUMMARY,
        version=rowlock.__version__,
        lifespan=lifespan,
        exception_handlers={HTTPException: on_error, Exception: on_error},
        # Below: the page that FastAPI would make loads its script from somebody else's server.
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.doorkeeper = Doorkeeper(settings)
    for router in (tasks, tags, leases, admin, ops):
        app.router.routes.extend(router.router.routes)
    app.router.routes.extend(ops.figures.routes)
    patch_fastapi(app, redirect_from_root_to_docs=False)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with the doors and the errors as they are here."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        components = document["components"]
        components["securitySchemes"] = _SCHEMES
        components["schemas"]["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        for route in app.routes:
            if isinstance(route, DoorRoute) and route.door in (*_SCHEMES, Door.ANY):
                doors = list(_SCHEMES) if route.door is Door.ANY else [route.door]
                for method in route.methods or ():
                    operation = document["paths"][route.path_format][method.lower()]
                    operation["security"] = [{str(door): []} for door in doors]
        app.openapi_schema = document
    return app.openapi_schema
