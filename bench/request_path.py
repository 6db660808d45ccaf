"""What a request costs before it reaches the service: FastAPI's own path, and ours.

    .venv/bin/python -m bench.request_path

One POST with a task and a token, in this process: no socket, no MySQL, an endpoint that
answers at once. CPU time, the best of several rounds.
"""

import json
import time
from typing import Annotated, Any, Final

import uvloop
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from starlette.types import ASGIApp

from app.api.submissions import SubmitTask
from app.http.auth import Door
from app.http.dispatch import Dispatch
from app.http.problems import on_error
from app.http.route import ClientRoute
from app.processes.application import create_app
from app.settings import Settings
from bench.result import BenchError

ROUNDS, REQUESTS = 7, 3000
FASTAPI: Final = "FastAPI's own path"
OURS: Final = "Dispatch and ApiRoute"

TASK = {
    **{"title": "resize image", "description": "to half its width", "priority": "高"},
    **{"tags": ["a", "b"], "queue": "images", "timeout_seconds": 60, "retry_limit": 2},
    **{"retry_delay_seconds": 1, "payload": {"path": "a.png", "width": 640}},
}
BODY = json.dumps(TASK).encode()
HEADERS = [
    (b"host", b"localhost"),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
    (b"authorization", b"Bearer secret"),
    (b"idempotency-key", b"order-17"),
]


async def submit(
    body: SubmitTask, idempotency_key: Annotated[str | None, Header(max_length=128)] = None
) -> Response:
    return Response(f"{body.title} {idempotency_key}", 201)


def usual() -> FastAPI:
    """Everything by FastAPI: routing, middleware, dependencies, body."""
    app = _application()

    async def admit(request: Request) -> None:
        await app.state.doorkeeper.admit(request, Door.CLIENT)

    app.post("/tasks", dependencies=[Depends(admit)])(submit)
    return app


def ours() -> FastAPI:
    """The same endpoint behind `Dispatch` and `ApiRoute`."""
    app = _application()
    router = APIRouter(route_class=ClientRoute)
    router.post("/tasks")(submit)
    app.middleware_stack = Dispatch(router.routes, otherwise=app.router)
    return app


def _application() -> FastAPI:
    app = FastAPI(exception_handlers={Exception: on_error})
    settings = Settings(database_url="mysql://nobody@localhost/none", client_tokens=("secret",))
    app.state = create_app(settings).state  # whatever a route asks of its application
    return app


async def ask(app: ASGIApp) -> int:
    scope: dict[str, Any] = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"},
        **{"method": "POST", "path": "/tasks", "raw_path": b"/tasks", "query_string": b""},
        **{"root_path": "", "headers": HEADERS, "client": ("127.0.0.1", 1), "server": None},
    }
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    return status


async def measure(rounds: int = ROUNDS, requests: int = REQUESTS) -> dict[str, float]:
    """Seconds of CPU a request, by path."""
    apps = {FASTAPI: usual(), OURS: ours()}
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, app in apps.items():
            status = await ask(app)
            if status not in (200, 201):
                raise BenchError(f"{name} answers {status}")
            began = time.process_time()
            for _ in range(requests):
                await ask(app)
            seconds = (time.process_time() - began) / requests
            best[name] = min(seconds, best.get(name, seconds))
    return best


def main() -> None:
    for name, seconds in uvloop.run(measure()).items():
        print(f"{name:24} {seconds * 1e6:5.0f} µs of CPU a request")


if __name__ == "__main__":
    main()
