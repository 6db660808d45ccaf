"""Dependencies: what a task waits for, and what became of it; for clients, and for workers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.api.cursor import next_number_link, number_of
from app.api.fields import TaskId
from app.api.leases import TheLease, lease_of
from app.api.responses import NEXT_PAGE, JsonAnswer, problems
from app.api.schemas import PageQuery
from app.api.services import Service
from app.domain.documents import dumps
from app.domain.states import ENDED, Status
from app.http.route import ClientRoute, WorkerRoute
from app.queue.dependencies.reading import Direction

clients = APIRouter(route_class=ClientRoute, tags=["client: tasks"])
workers = APIRouter(route_class=WorkerRoute, tags=["worker"])

PAGE: int = 1000


class RelatedTask(BaseModel):
    """A task at the other end of a dependency."""

    id: int = Field(examples=[17])
    name: str | None = Field(
        description="The `ref` that the task which is waited for had in its batch.",
        examples=["extract"],
    )
    title: str = Field(examples=["Extract the sales of a day"])
    status: Status


class DependenciesDocument(BaseModel):
    """What a task depends on, or what depends on it; tasks that were deleted are not counted."""

    total: int
    unmet: int = Field(description="Have not ended.")
    done: int
    failed: int
    cancelled: int
    tasks: list[RelatedTask]


class ParentDocument(BaseModel):
    """What became of a task that the lease's task depends on."""

    id: int = Field(examples=[17])
    name: str | None = Field(
        description="The `ref` that the task had in the batch of both.", examples=["extract"]
    )
    status: Status
    result: Any
    error: str | None


class DependenciesQuery(PageQuery):
    direction: Direction = Field(
        default=Direction.PARENTS,
        description="`parents` are the tasks that it depends on, `children` those that depend on "
        "it.",
    )
    limit: Annotated[
        int, Field(ge=1, le=PAGE, description="Maximum number of entries per page.")
    ] = PAGE


@clients.get(
    "/tasks/{task_id}/dependencies",
    response_model=DependenciesDocument,
    responses={200: NEXT_PAGE, **problems(404)},
    summary="List the tasks that a task depends on, or that depend on it, page by page",
)
async def dependencies(
    service: Service,
    request: Request,
    task_id: TaskId,
    query: Annotated[DependenciesQuery, Query()],
) -> Response:
    asked = {"list": "dependencies", "task": task_id, "direction": query.direction}
    after = number_of(query.cursor, asked)
    found = await service.flows.dependencies(
        task_id, direction=query.direction, after=after, limit=query.limit + 1
    )
    page = found.tasks[: query.limit]
    headers = {}
    if len(found.tasks) > len(page):
        headers["Link"] = next_number_link(request, page[-1].id, asked)
    counts = found.by_status
    document = {
        "total": counts.total(),
        "unmet": sum(count for status, count in counts.items() if status not in ENDED),
        **{str(status): counts[status] for status in ENDED},
        "tasks": [task._asdict() for task in page],
    }
    return JsonAnswer(dumps(document), headers=headers)


@workers.get(
    "/leases/{lease_id}/parents",
    response_model=list[ParentDocument],
    responses={200: NEXT_PAGE, **problems(404, 409)},
    summary="List what became of the tasks that the lease's task depends on, page by page",
)
async def parents(
    service: Service, request: Request, lease_id: TheLease, query: Annotated[PageQuery, Query()]
) -> Response:
    asked = {"list": "parents", "lease": lease_id}
    after = number_of(query.cursor, asked)
    documents, last = await service.flows.parents(
        lease_of(lease_id), after=after, limit=query.limit
    )
    headers = {} if last is None else {"Link": next_number_link(request, last, asked)}
    return JsonAnswer(documents, headers=headers)
