"""The client door: tags and figures."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from app.api import answers, schemas
from app.api.cursor import name_of, next_name_link
from app.api.queue_stats import QueuesAsked, asked_of
from app.api.responses import NEXT_PAGE, NOT_MODIFIED, STATS_HEADERS, JsonAnswer, problems
from app.api.services import Service
from app.domain.documents import dumps
from app.http.etags import etag_of, has_already, not_modified
from app.http.route import ClientRoute

# As the endpoint's parameter it might come only once; of a list there may be several.
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `ETag` of an answer that the caller has; several, with commas; or `*`.",
}

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
    responses={200: STATS_HEADERS, 304: NOT_MODIFIED, **problems()},
    openapi_extra={"parameters": [_IF_NONE_MATCH]},
    summary="Get the state and recent throughput of each queue, page by page",
)
async def stats(
    service: Service,
    request: Request,
    query: Annotated[schemas.QueuesQuery, Query()],
) -> Response:
    asked = asked_of(query)
    after = name_of(query.cursor, asked) or ""
    page = await service.stats(QueuesAsked(frozenset(query.queue), after, query.limit))
    link = "" if page.last is None else next_name_link(request, page.last, asked)
    headers = {"ETag": etag_of(page.document, link.encode()), **({"Link": link} if link else {})}
    if has_already(request, headers["ETag"]):
        return not_modified(headers)
    return JsonAnswer(page.document, headers=headers)


@router.get(
    "/stats/history",
    response_model=answers.HistoryDocument,
    responses=problems(),
    summary="Get how the last minutes or days went, in a queue or in all",
)
async def history(service: Service, query: Annotated[schemas.HistoryQuery, Query()]) -> Response:
    found = await service.admin.history(queue=query.queue, minutes=query.minutes)
    document = {
        "queue": query.queue,
        "bucket_seconds": found.seconds,
        "buckets": [bucket._asdict() for bucket in found.buckets],
    }
    return JsonAnswer(dumps(document))
