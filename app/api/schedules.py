"""The client door: recurring schedules."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from app.api import answers, schemas
from app.api.cursor import name_of, next_name_link, time_of
from app.api.fields import ScheduleName
from app.api.responses import BODY_PROBLEMS, ETAG, LOCATION, NEXT_PAGE, JsonAnswer, problems
from app.api.schedule_schemas import Backfill, CronQuery, NextQuery, PutSchedule
from app.api.services import Service
from app.api.tasks import IdempotencyKey
from app.domain.documents import array, dumps, schedule_document
from app.domain.errors import InvalidRecurrenceError
from app.domain.recurrence import Recurrence
from app.domain.schedule import Schedule
from app.http.problems import FieldError, InvalidRequestError
from app.http.route import ClientRoute
from app.queue.lists.pages import END

router = APIRouter(route_class=ClientRoute, tags=["client: schedules"])

TheSchedule = Annotated[ScheduleName, Path(description="The schedule's name.")]
IfMatch = Annotated[
    str | None,
    Header(
        pattern=r'^"[1-9][0-9]{0,8}"$',
        description='The revision that is to be changed, like `"3"`; another one is a 412.',
    ),
]


@router.put(
    "/schedules/{name}",
    response_model=answers.ScheduleDocument,
    responses={
        200: ETAG,
        201: {"model": answers.ScheduleDocument, "description": "Made.", **ETAG},
        **problems(412, *BODY_PROBLEMS),
    },
    summary="Make a schedule, or change it; the same again changes nothing",
)
async def put_schedule(
    service: Service, name: TheSchedule, body: PutSchedule, if_match: IfMatch = None
) -> Response:
    revision = None if if_match is None else int(if_match.strip('"'))
    schedule, is_new = await service.schedules.put(name, body.to_definition(), revision=revision)
    return shown(schedule, 201 if is_new else 200)


@router.get(
    "/schedules",
    response_model=list[answers.ScheduleDocument],
    responses={200: NEXT_PAGE, **problems()},
    summary="List the schedules by name, page by page",
)
async def list_schedules(
    service: Service, request: Request, query: Annotated[schemas.PageQuery, Query()]
) -> Response:
    asked = {"list": "schedules"}
    page = await service.schedules.page(after=name_of(query.cursor, asked) or "", limit=query.limit)
    headers = {} if page.last is None else {"Link": next_name_link(request, page.last, asked)}
    return JsonAnswer(array(map(schedule_document, page.schedules)), headers=headers)


@router.get(
    "/schedules/{name}",
    response_model=answers.ScheduleDocument,
    responses={200: ETAG, **problems(404)},
    summary="Get a schedule",
)
async def get_schedule(service: Service, name: TheSchedule) -> Response:
    return shown(await service.schedules.get(name))


@router.delete(
    "/schedules/{name}",
    status_code=204,
    response_model=None,
    responses=problems(404),
    summary="Delete a schedule; the tasks that it has submitted stay",
)
async def delete_schedule(service: Service, name: TheSchedule) -> Response:
    await service.schedules.delete(name)
    return Response(status_code=204)


@router.get(
    "/schedules/{name}/next",
    response_model=list[answers.OccurrenceDocument],
    responses=problems(404),
    summary="Preview the next occurrences of a schedule",
)
async def next_occurrences(
    service: Service, name: TheSchedule, query: Annotated[NextQuery, Query()]
) -> Response:
    schedule = await service.schedules.get(name)
    after = query.after or await service.schedules.now()
    recurrence = schedule.recurrence
    occurrences = recurrence.upcoming(after, limit=query.count)
    return JsonAnswer(
        dumps([_occurrence(at, schedule.due_at(at), recurrence) for at in occurrences])
    )


@router.get(
    "/schedules/{name}/runs",
    response_model=list[answers.RunDocument],
    responses={200: NEXT_PAGE, **problems(404)},
    summary="List what came of a schedule's occurrences, newest first, page by page",
)
async def list_runs(
    service: Service,
    request: Request,
    name: TheSchedule,
    query: Annotated[schemas.PageQuery, Query()],
) -> Response:
    asked = {"list": "runs", "schedule": name}
    before = time_of(query.cursor, asked) or END
    page = await service.schedules.list_runs(name, before=before, limit=query.limit)
    headers = {}
    if page.last is not None:
        headers["Link"] = next_name_link(request, page.last.isoformat(), asked)
    return JsonAnswer(dumps([run._asdict() for run in page.runs]), headers=headers)


@router.post(
    "/schedules/{name}/run",
    status_code=201,
    response_model=answers.TaskDocument,
    responses={
        200: {
            "model": answers.TaskDocument,
            "description": "Already submitted under this key, or the task that holds the unique "
            "key.",
            **LOCATION,
        },
        201: LOCATION,
        **problems(404, 409, *BODY_PROBLEMS),
    },
    summary="Submit a schedule's task now, whatever it has under way",
)
async def run_schedule(
    service: Service, name: TheSchedule, idempotency_key: IdempotencyKey = None
) -> Response:
    body_hash = sha256(f"run {name}".encode()).hexdigest()
    stored, task_id = await service.schedules.run_now(
        name, key=idempotency_key, body_hash=body_hash
    )
    location = f"../../tasks/{task_id}"
    return JsonAnswer(stored.document, 201 if stored.is_new else 200, {"Location": location})


@router.post(
    "/schedules/{name}/backfill",
    response_model=answers.BackfilledDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Submit a task for each past occurrence of a time that has none",
)
async def backfill(service: Service, name: TheSchedule, body: Backfill) -> Response:
    if body.end <= body.begin:
        raise InvalidRequestError([FieldError("to", "must be later than from")])
    done = await service.schedules.backfill(name, begin=body.begin, end=body.end)
    return JsonAnswer(dumps({"submitted": done.made, "existing": done.existing}))


@router.get(
    "/cron",
    response_model=list[answers.OccurrenceDocument],
    responses=problems(),
    summary="Try a cron expression: its next occurrences",
)
async def try_cron(service: Service, query: Annotated[CronQuery, Query()]) -> Response:
    now = await service.schedules.now()
    try:
        recurrence = Recurrence.of(
            cron=query.expression,
            interval_seconds=None,
            timezone=query.timezone,
            starts_at=None,
            ends_at=None,
            created_at=now,
        )
        recurrence.check_comes(now)
    except InvalidRecurrenceError as error:
        field = "expression" if error.field == "cron" else error.field
        raise InvalidRequestError([FieldError(field, str(error))]) from error
    occurrences = recurrence.upcoming(now, limit=query.count)
    return JsonAnswer(dumps([_occurrence(at, at, recurrence) for at in occurrences]))


def shown(schedule: Schedule, status: int = 200) -> Response:
    """A schedule as an answer, with its revision for `If-Match`."""
    headers = {"ETag": f'"{schedule.revision}"'}
    return JsonAnswer(schedule_document(schedule), status, headers)


def _occurrence(at: datetime, due_at: datetime, recurrence: Recurrence) -> dict[str, Any]:
    return {"occurrence_at": at, "due_at": due_at, "local": recurrence.local(at)}
