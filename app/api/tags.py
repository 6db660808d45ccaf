"""The client door: tags and figures."""

from fastapi import APIRouter, Response

from app.api import schemas
from app.api.door import ClientRoute
from app.api.figures import queue_document
from app.api.responses import JsonAnswer, problems
from app.api.services import Service
from app.documents import dumps

router = APIRouter(route_class=ClientRoute, tags=["client: figures"])


@router.get(
    "/tags",
    response_model=list[schemas.TagDocument],
    responses=problems(),
    summary="Every tag, with its number of tasks",
)
async def tags(service: Service) -> Response:
    return JsonAnswer(await service.client.tags())


@router.get(
    "/stats",
    response_model=schemas.StatsDocument,
    responses=problems(),
    summary="How each queue stands and how it has gone in the last minutes",
)
async def stats(service: Service) -> Response:
    states = await service.client.stats()
    return JsonAnswer(dumps({"queues": [queue_document(state) for state in states]}))
