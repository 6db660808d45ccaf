"""The worker door: claim, heartbeat, finish."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from app.api import answers, finishes, schemas
from app.api.fields import LeaseId
from app.api.openapi.links import lease_links
from app.api.responses import BODY_PROBLEMS, JsonAnswer, LeasesAnswer, problems
from app.api.services import Service, Services, gone_of
from app.domain.documents import Array, array, dumps, lease_document, task_document
from app.domain.errors import RowlockError
from app.domain.task import Lease, Task, leases_of
from app.http.admission import TheRoom
from app.http.body import LARGE_BODY_LIMIT_BYTES
from app.http.caller import address_of, agent_of
from app.http.problems import KINDS, in_item
from app.http.route import WorkerRoute
from app.queue.requests import Claim, Finish
from app.service.heartbeats import Heartbeat, HeartbeatAnswer

router = APIRouter(route_class=WorkerRoute, tags=["worker"])

TheLease = Annotated[LeaseId, Path(description="The lease's id, from the claim.")]


@router.post(
    "/leases",
    response_model=list[answers.LeaseDocument],
    responses={200: lease_links("/0"), **problems(*BODY_PROBLEMS)},
    summary="Claim tasks, or wait for tasks to claim",
)
async def claim(
    service: Service, request: Request, body: schemas.ClaimTasks, room: TheRoom
) -> Response:
    wanted, wait_seconds = _claim(body), body.wait_seconds
    _hear(service, request, wanted)
    del body  # it may wait, with ten thousand others
    room.leave_early()
    answered = await service.leases.finish_and_claim(
        [], wanted, wait_seconds=wait_seconds, gone=gone_of(request)
    )
    document = Array(lease_document(task) for task in answered.claimed).end()
    return LeasesAnswer(document, leases_of(answered.claimed), service.leases.give_back)


@router.post(
    "/leases/finish",
    response_model=answers.FinishedDocument,
    responses={200: lease_links("/leases/0"), **problems(*BODY_PROBLEMS)},
    summary="Finish attempts and claim the next tasks, in one transaction",
    max_body_size=LARGE_BODY_LIMIT_BYTES,
)
async def finish(
    service: Service, request: Request, body: finishes.FinishTasks, room: TheRoom
) -> Response:
    leases = [lease_of(item.lease_id) for item in body.items]
    asked = [
        item.to_finish(lease, place)
        for place, (lease, item) in enumerate(zip(leases, body.items, strict=True))
    ]
    wanted = _claim(body.claim) if body.claim is not None else None
    wait_seconds = body.claim.wait_seconds if body.claim is not None else 0
    if wanted is not None:
        _hear(service, request, wanted)
    del body  # as above
    answering = service.leases.finish_and_claim(
        asked,
        wanted,
        wait_seconds=wait_seconds,
        gone=gone_of(request),
        only_waits=room.leave_early,
    )
    del asked  # they are as long as the body
    answered = await answering
    items = [
        _finished(lease, answer, answered.cut, answered.submitted.get(lease))
        for lease, answer in zip(leases, answered.finished, strict=True)
    ]
    handed_out = array(lease_document(task) for task in answered.claimed)
    document = dumps({"items": items, "leases": orjson.Fragment(handed_out)})
    return LeasesAnswer(document, leases_of(answered.claimed), service.leases.give_back)


@router.post(
    "/leases/{lease_id}/heartbeat",
    response_model=answers.HeartbeatDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Send a heartbeat, with progress",
)
async def heartbeat(
    service: Service, lease_id: TheLease, body: schemas.Heartbeat = schemas.Heartbeat()
) -> Response:
    answer = await service.leases.heartbeat(Heartbeat(lease_of(lease_id), body.progress))
    return JsonAnswer(dumps(answer._asdict()))


@router.post(
    "/leases/heartbeat",
    response_model=answers.HeartbeatsDocument,
    responses=problems(*BODY_PROBLEMS),
    summary="Send the heartbeats of many attempts",
    max_body_size=LARGE_BODY_LIMIT_BYTES,
)
async def heartbeats(service: Service, body: schemas.SendHeartbeats) -> Response:
    beats = [Heartbeat(lease_of(item.lease_id), item.progress) for item in body.items]
    heard = await service.leases.heartbeats(beats)
    items = [_heard(beat.lease, answer) for beat, answer in zip(beats, heard, strict=True)]
    return JsonAnswer(dumps({"items": items}))


@router.post(
    "/leases/{lease_id}/complete",
    response_model=answers.EndedTask,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Complete the task",
)
async def complete(
    service: Service, lease_id: TheLease, body: finishes.Complete = finishes.Complete()
) -> Response:
    return await _end(service, body.to_finish(lease_of(lease_id)))


@router.post(
    "/leases/{lease_id}/fail",
    response_model=answers.EndedTask,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Fail the attempt",
)
async def fail(
    service: Service, lease_id: TheLease, body: finishes.Fail = finishes.Fail()
) -> Response:
    return await _end(service, body.to_finish(lease_of(lease_id)))


@router.post(
    "/leases/{lease_id}/release",
    response_model=answers.TaskDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Release the task; this does not count as a retry",
)
async def release(
    service: Service, lease_id: TheLease, body: finishes.Release = finishes.Release()
) -> Response:
    return await _end(service, body.to_finish(lease_of(lease_id)))


async def _end(service: Service, finish: Finish) -> Response:
    task, submitted = await service.leases.finish(finish)
    document = task_document(task)
    if submitted is not None:
        document = document[:-1] + b',"submitted":' + dumps(submitted) + b"}"
    return JsonAnswer(document)


def _hear(service: Services, request: Request, claim: Claim) -> None:
    """Whatever comes of the claim: the worker is there."""
    service.workers.hear(claim.worker, claim.queues, agent_of(request), address_of(request))


def _claim(body: schemas.ClaimTasks) -> Claim:
    return Claim(body.worker, tuple(dict.fromkeys(body.queues)), body.limit, body.lease_seconds)


def lease_of(lease_id: str) -> Lease:
    """What a lease's id says."""
    task_id, _, token = lease_id.partition(".")
    return Lease(int(task_id), token)


def _heard(lease: Lease, answer: HeartbeatAnswer | RowlockError) -> dict[str, Any]:
    if isinstance(answer, HeartbeatAnswer):
        return {"lease_id": str(lease), "status": 200, **answer._asdict()}
    item = _refused(lease, answer)
    if (outcome := answer.facts.get("outcome")) is not None:
        item["outcome"] = outcome
    return item


def _refused(lease: Lease, error: RowlockError) -> dict[str, Any]:
    return {"lease_id": str(lease), "status": KINDS[type(error)].status, "detail": str(error)}


def _finished(
    lease: Lease,
    answer: Task | RowlockError,
    cut: frozenset[int],
    submitted: Sequence[int] | None,
) -> dict[str, Any]:
    item: dict[str, Any] = {"lease_id": str(lease), "status": 200}
    if isinstance(answer, RowlockError):
        item = {"lease_id": str(lease), **in_item(answer)}
    task = answer if isinstance(answer, Task) else answer.facts.get("task")
    if isinstance(task, Task) and task.id not in cut:
        item["task"] = orjson.Fragment(task_document(task))
    if submitted is not None:
        item["submitted"] = submitted
    return item
