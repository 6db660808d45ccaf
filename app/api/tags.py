"""The client door: tags and figures."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api import answers, schemas
from app.api.cursor import name_of, next_name_link
from app.api.queue_stats import queue_documents
from app.api.responses import NEXT_PAGE, JsonAnswer, problems
from app.api.services import Service
from app.domain.documents import dumps
from app.http.route import ClientRoute

router = APIRouter(route_class=ClientRoute, tags=["client: statistics"])


@router.get(
    "/tags",
    response_model=list[answers.TagDocument],
    responses={200: NEXT_PAGE, **problems()},
    summary="List the tags in use with their number of tasks, page by page",
)
async def tags(
    service: Service, request: Request, query: Annotated[schemas.PageQuery, Query()]
) -> Response:
    asked = {"list": "tags"}
    found = await service.pages.tags(after=name_of(query.cursor, asked), limit=query.limit)
    headers = {} if found.last is None else {"Link": next_name_link(request, found.last, asked)}
    documents = [{"name": name, "tasks": count} for name, count in found.counts]
    return JsonAnswer(dumps(documents), headers=headers)


@router.get(
    "/stats",
    response_model=answers.StatsDocument,
    responses={200: NEXT_PAGE, **problems()},
    summary="Get the state and recent throughput of each queue, page by page",
)
async def stats(
    service: Service, request: Request, query: Annotated[schemas.QueuesQuery, Query()]
) -> Response:
    documents, headers = await queue_documents(service, request, query)
    return JsonAnswer(dumps({"queues": documents}), headers=headers)
