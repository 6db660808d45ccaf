"""The admin door: the workers that there are."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import answers, schemas
from app.api.cursor import Asked, name_of, next_name_link
from app.api.fields import WorkerName
from app.api.responses import NEXT_PAGE, JsonAnswer, problems
from app.api.services import Service
from app.domain.documents import dumps
from app.http.route import AdminRoute

router = APIRouter(prefix="/admin", route_class=AdminRoute, tags=["admin"])

TheWorker = Annotated[WorkerName, Path(description="The name that it claims with.")]


@router.get(
    "/workers",
    response_model=list[answers.WorkerDocument],
    responses={200: NEXT_PAGE, **problems()},
    summary="List the workers by name, page by page",
)
async def workers(
    service: Service, request: Request, query: Annotated[schemas.WorkersQuery, Query()]
) -> Response:
    asked = _asked(query)
    found = await service.workers.page(
        queues=frozenset(query.queue),
        seen_within_seconds=query.seen_within_seconds,
        after=name_of(query.cursor, asked),
        limit=query.limit,
    )
    headers = {} if found.last is None else {"Link": next_name_link(request, found.last, asked)}
    return JsonAnswer(dumps([each._asdict() for each in found.workers]), headers=headers)


@router.get(
    # Slashes that were sent as `%2F` are slashes again by now.
    "/workers/{worker:anything}",
    response_model=answers.WorkerDetailsDocument,
    responses=problems(404),
    summary="Get a worker, with the tasks that it holds",
)
async def worker(service: Service, worker: TheWorker) -> Response:
    found, held = await service.workers.get(worker)
    leases = [task._asdict() for task in held]
    return JsonAnswer(dumps({**found._asdict(), "leases": leases}))


def _asked(query: schemas.WorkersQuery) -> Asked:
    asked: dict[str, Any] = {"list": "workers"}
    if query.queue:
        asked["queue"] = sorted(set(query.queue))
    if query.seen_within_seconds is not None:
        asked["seen_within_seconds"] = query.seen_within_seconds
    return asked
