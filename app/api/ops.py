"""Operations: is it alive, is it ready, how is it going."""

import time
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.api import answers
from app.api.queue_stats import queue_figure
from app.api.readiness import is_ready
from app.api.responses import RETRY_AFTER, JsonAnswer, problems
from app.api.services import Service
from app.domain.documents import dumps
from app.domain.errors import DatabaseAwayError
from app.http.route import ApiRoute, FiguresRoute
from app.runtime import metrics

QUEUES_SHOWN_FOR_SECONDS: Final = 5.0

router = APIRouter(route_class=ApiRoute, tags=["operations"])
figures = APIRouter(route_class=FiguresRoute, tags=["operations"])

_queues_shown_at = 0.0


@router.get(
    "/healthz",
    response_model=answers.HealthDocument,
    responses=problems(is_open=True),
    summary="Check that the process is alive",
)
async def healthz() -> Response:
    return JsonAnswer(dumps({"status": "ok"}))


@router.get(
    "/readyz",
    response_model=answers.ReadinessDocument,
    responses={
        **problems(is_open=True),
        503: {
            "model": answers.ReadinessDocument,
            "description": "A required part is not available; `parts` says which.",
            **RETRY_AFTER,
        },
    },
    summary="Check that calls can be served",
)
async def readyz(service: Service) -> Response:
    parts = await service.parts(None)
    if is_ready(parts):
        return JsonAnswer(dumps({"status": "ready", "parts": parts}))
    document = dumps({"status": "not ready", "parts": parts})
    return JsonAnswer(document, 503, {"Retry-After": "1"})


@figures.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=problems(),
    summary="Metrics for Prometheus",
)
async def show_metrics(service: Service) -> Response:
    global _queues_shown_at  # noqa: PLW0603  (Prometheus' registry is the process's, too)
    stored = metrics.STORED_FIGURES
    if time.monotonic() - _queues_shown_at > QUEUES_SHOWN_FOR_SECONDS:
        try:
            stored.queues = await _queue_figures(service)
            stored.sweeps = await service.admin.sweeps()
            stored.has_scheduler = metrics.scheduler_state(stored.sweeps) == "ok"
            _queues_shown_at = time.monotonic()
        except DatabaseAwayError:
            # What MySQL alone knows is left out, not shown as it was; the rest is wanted most now.
            stored.queues = stored.sweeps = ()
            stored.has_scheduler = None
    return Response(generate_latest(metrics.registry()), media_type=CONTENT_TYPE_LATEST)


async def _queue_figures(service: Service) -> list[metrics.QueueFigure]:
    """Of the first queues by name one by one, of the rest together."""
    found = await service.admin.queues(wanted=(), after="", limit=metrics.MOST_QUEUES)
    figures = [queue_figure(state) for state in found.states]
    if found.last is not None:
        waiting, running = await service.admin.waiting_and_running()
        figures.append(
            metrics.QueueFigure(
                metrics.OTHER_QUEUES,
                # Read a moment later, and so perhaps less.
                max(waiting - sum(figure.waiting for figure in figures), 0),
                max(running - sum(figure.running for figure in figures), 0),
                None,
            )
        )
    return figures
