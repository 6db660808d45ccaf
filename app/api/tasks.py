"""The client door: tasks."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AfterValidator

from app.api import answers, reasons, schemas, submissions
from app.api.cursor import next_link, next_number_link, number_of, position_of
from app.api.examples import WHY_EXAMPLES
from app.api.fields import TaskId
from app.api.openapi.links import task_links
from app.api.responses import BODY_PROBLEMS, LOCATION, NEXT_PAGE, JsonAnswer, problems
from app.api.services import Service, gone_of
from app.domain import trace
from app.domain.documents import task_document
from app.domain.states import WAITING
from app.http.body import LARGE_BODY_LIMIT_BYTES, MERGE_PATCH
from app.http.problems import FieldError, InvalidRequestError
from app.http.route import ClientRoute
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import OrderBy, Page

router = APIRouter(route_class=ClientRoute, tags=["client: tasks"])

_ONLY_WAITING: Final = (
    "available_at is of the tasks that wait for their time: status may be to_do or retrying"
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeating a call with the same key stores nothing new.",
    ),
]

Traceparent = Annotated[
    str | None,
    Header(
        description="The W3C trace context that the tasks belong to; ignored if it is not valid."
    ),
    AfterValidator(trace.parent_of),
]


@router.post(
    "/tasks",
    status_code=201,
    response_model=answers.TaskDocument,
    responses={
        200: {
            "model": answers.TaskDocument,
            "description": "Already stored under this `Idempotency-Key`, or the task that holds "
            "the unique key.",
            **LOCATION,
            **task_links(),
        },
        201: {**LOCATION, **task_links()},
        **problems(409, *BODY_PROBLEMS),
    },
    summary="Submit a task",
)
async def submit(
    service: Service,
    body: submissions.SubmitTask,
    idempotency_key: IdempotencyKey = None,
    traceparent: Traceparent = None,
) -> Response:
    submission = submissions.submission(body, idempotency_key, traceparent)
    stored, task_id = await service.tasks.submit_task(submission)
    return JsonAnswer(
        stored.document,
        201 if stored.is_new else 200,
        {"Location": f"tasks/{task_id}"},  # relative, as links are
    )


@router.post(
    "/tasks/batch",
    status_code=201,
    response_model=list[answers.TaskDocument],
    responses={
        200: {
            "model": list[answers.TaskDocument | answers.TaskSummary],
            "description": "Already stored under this key. Beyond 8 MiB, the remaining tasks come "
            "without `description`, `payload`, `result` and `error`.",
            **task_links("/0"),
        },
        201: task_links("/0"),
        **problems(409, *BODY_PROBLEMS),
    },
    summary="Submit up to 1,000 tasks; either all are stored or none",
    max_body_size=LARGE_BODY_LIMIT_BYTES,
)
async def submit_batch(
    service: Service,
    body: submissions.SubmitBatch,
    idempotency_key: IdempotencyKey = None,
    traceparent: Traceparent = None,
) -> Response:
    submission = submissions.batch_submission(body, idempotency_key, traceparent)
    stored = await service.tasks.submit_batch(submission)
    return JsonAnswer(stored.document, 201 if stored.is_new else 200)


@router.get(
    "/tasks",
    response_model=list[answers.TaskDocument] | list[answers.ListedTask],
    responses={200: {**NEXT_PAGE, **task_links("/0")}, **problems()},
    summary="List tasks, page by page",
)
async def list_tasks(
    service: Service, request: Request, query: Annotated[schemas.ListQuery, Query()]
) -> Response:
    wanted, page = _listed(query)
    is_summary = query.view == "summary"
    documents, last = await service.pages.page(wanted, page, is_summary=is_summary)
    headers = {}
    if last is not None:
        headers["Link"] = next_link(request, last, wanted, query.order, query.order_by)
    return JsonAnswer(documents, headers=headers)


@router.get(
    "/tasks/count",
    response_model=answers.CountDocument,
    responses=problems(),
    summary="Count tasks",
)
async def count(service: Service, query: Annotated[schemas.CountQuery, Query()]) -> Response:
    return JsonAnswer(await service.pages.count(query.to_filter(), query.limit))


@router.get(
    "/tasks/cost",
    response_model=answers.CostDocument,
    responses=problems(),
    summary="Say what a list would have MySQL read, without reading it",
)
async def cost(service: Service, query: Annotated[schemas.ListQuery, Query()]) -> Response:
    return JsonAnswer(await service.pages.cost(*_listed(query)))


@router.get(
    "/tasks/{task_id}",
    response_model=answers.TaskDocument,
    responses=problems(404),
    summary="Get a task, or wait until it has ended",
)
async def get(
    service: Service,
    request: Request,
    task_id: TaskId,
    query: Annotated[schemas.WaitQuery, Query()],
) -> Response:
    if query.wait_seconds is None:
        return JsonAnswer(await service.reads.get(task_id))
    return JsonAnswer(
        await service.reads.wait(task_id, wait_seconds=query.wait_seconds, gone=gone_of(request))
    )


@router.patch(
    "/tasks/{task_id}",
    response_model=answers.TaskDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Change a task",
    openapi_extra={
        "requestBody": {
            "content": {MERGE_PATCH: {"schema": {"$ref": "#/components/schemas/PatchTask"}}}
        }
    },
)
async def patch(service: Service, task_id: TaskId, body: schemas.PatchTask) -> Response:
    task = await service.tasks.patch(task_id, body.changes(), body.tag_names())
    return JsonAnswer(task_document(task))


@router.delete(
    "/tasks/{task_id}",
    status_code=204,
    response_model=None,
    responses=problems(404),
    summary="Delete a task in any state",
)
async def delete(service: Service, task_id: TaskId) -> Response:
    await service.tasks.delete(task_id)
    return Response(status_code=204)


@router.get(
    "/tasks/{task_id}/attempts",
    response_model=list[answers.AttemptDocument],
    responses={200: NEXT_PAGE, **problems(404)},
    summary="List the attempts of a task, page by page",
)
async def attempts(
    service: Service,
    request: Request,
    task_id: TaskId,
    query: Annotated[schemas.PageQuery, Query()],
) -> Response:
    asked = {"list": "attempts", "task": task_id}
    after = number_of(query.cursor, asked)
    documents, last = await service.pages.attempts(task_id, after=after, limit=query.limit)
    headers = {} if last is None else {"Link": next_number_link(request, last, asked)}
    return JsonAnswer(documents, headers=headers)


@router.get(
    "/tasks/{task_id}/why",
    response_model=reasons.WhyDocument,
    responses={200: WHY_EXAMPLES, **problems(404)},
    summary="Explain what a task waits for",
)
async def why(service: Service, task_id: TaskId) -> Response:
    return JsonAnswer(await service.why.of(task_id))


def _listed(query: schemas.ListQuery) -> tuple[TaskFilter, Page]:
    wanted, order_by = query.to_filter(), OrderBy(query.order_by)
    if order_by is OrderBy.AVAILABLE_AT and not WAITING.issuperset(wanted.status):
        raise InvalidRequestError([FieldError("order_by", _ONLY_WAITING)])
    after = position_of(query.cursor, wanted, query.order, query.order_by)
    return wanted, Page(query.limit, query.order == "asc", after, order_by)
