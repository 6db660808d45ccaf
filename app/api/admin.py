"""The admin door: pause, resume, cancel, retry; for many delete too."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import answers, schemas
from app.api.cursor import after, place_of
from app.api.fields import QueueName, TaskId
from app.api.queue_stats import queue_documents
from app.api.responses import BODY_PROBLEMS, ETAG, NEXT_PAGE, JsonAnswer, problems
from app.api.schedules import TheSchedule, shown
from app.api.services import Service
from app.domain.documents import dumps, task_document
from app.domain.states import Event
from app.http.problems import FieldError, InvalidRequestError
from app.http.route import AdminRoute
from app.queue.lists.filters import TaskFilter
from app.service.bulk import Span, effect

router = APIRouter(prefix="/admin", route_class=AdminRoute, tags=["admin"])


class Action(StrEnum):
    """What management does to tasks."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


class BulkAction(StrEnum):
    """What management does to all tasks that match."""

    PAUSE = Action.PAUSE
    RESUME = Action.RESUME
    CANCEL = Action.CANCEL
    RETRY = Action.RETRY
    DELETE = "delete"


TheAction = Annotated[Action, Path(description="The action to take.")]
TheBulkAction = Annotated[BulkAction, Path(description="The action to take.")]
TheQueue = Annotated[QueueName, Path(description="The queue's name.")]


@router.get(
    "/queues",
    response_model=list[answers.QueueDocument],
    responses={200: NEXT_PAGE, **problems()},
    summary="List the queues that have tasks or are paused, page by page",
)
async def queues(
    service: Service, request: Request, query: Annotated[schemas.QueuesQuery, Query()]
) -> Response:
    documents, headers = await queue_documents(service.admin, request, query)
    return JsonAnswer(dumps(documents), headers=headers)


@router.post(
    "/queues/{name}/pause",
    response_model=answers.QueueStateDocument,
    responses=problems(*BODY_PROBLEMS),
    summary="Pause a queue: its tasks are not claimed",
)
async def pause_queue(service: Service, name: TheQueue) -> Response:
    since = await service.admin.pause_queue(name)
    return JsonAnswer(dumps({"queue": name, "paused": True, "paused_at": since}))


@router.post(
    "/queues/{name}/resume",
    response_model=answers.QueueStateDocument,
    responses=problems(*BODY_PROBLEMS),
    summary="Resume a queue",
)
async def resume_queue(service: Service, name: TheQueue) -> Response:
    await service.admin.resume_queue(name)
    return JsonAnswer(dumps({"queue": name, "paused": False, "paused_at": None}))


@router.post(
    "/schedules/{name}/pause",
    response_model=answers.ScheduleDocument,
    responses={200: ETAG, **problems(404, *BODY_PROBLEMS)},
    summary="Pause a schedule: it submits nothing",
)
async def pause_schedule(service: Service, name: TheSchedule) -> Response:
    return shown(await service.schedules.pause(name))


@router.post(
    "/schedules/{name}/resume",
    response_model=answers.ScheduleDocument,
    responses={200: ETAG, **problems(404, *BODY_PROBLEMS)},
    summary="Resume a schedule; what fell into the pause is left out",
)
async def resume_schedule(service: Service, name: TheSchedule) -> Response:
    return shown(await service.schedules.resume(name))


@router.post(
    "/tasks/{task_id}/{action}",
    response_model=answers.TaskDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Pause, resume, cancel or retry a task",
)
async def intervene(
    service: Service,
    task_id: TaskId,
    action: TheAction,
    query: Annotated[schemas.InterveneQuery, Query()],
) -> Response:
    for name, only in (("descendants", Action.RETRY), ("ancestors", Action.CANCEL)):
        if getattr(query, name) and action is not only:
            raise InvalidRequestError([FieldError(name, f"is only for {only}")])
    if query.descendants:
        task = await service.flows.retry_with_descendants(task_id)
    elif query.ancestors:
        task = await service.flows.cancel_with_ancestors(task_id)
    else:
        task = await service.admin.intervene(task_id, Event(action))
    return JsonAnswer(task_document(task))


@router.post(
    "/tasks/{action}",
    response_model=answers.BulkDocument,
    responses=problems(409, *BODY_PROBLEMS),
    summary="Pause, resume, cancel, retry or delete all tasks that match, at once or in pages",
)
async def act_on_all(
    service: Service, action: TheBulkAction, query: Annotated[schemas.ActionQuery, Query()]
) -> Response:
    wanted = query.to_filter()
    if wanted == TaskFilter():
        raise InvalidRequestError([FieldError("query", "needs at least one filter")])
    event = None if action is BulkAction.DELETE else Event(action)
    span = Span(place_of(query.after, wanted, action), query.limit, query.expect_at_most)
    if query.dry_run:
        count = await service.bulk.count(wanted, span)
        matched, changed, last = count.matched, 0, count.last
        more = {
            "by_status": count.by_status,
            "to": effect(event, count.by_status),
            "is_exact": count.is_exact,
        }
    else:
        matched, changed, last = await service.bulk.act(wanted, event, span)
        more = {}
    following = None if last is None else after(last, wanted, action)
    document = {"matched": matched, "changed": changed, "next": following, **more}
    return JsonAnswer(dumps(document))
