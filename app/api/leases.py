"""The worker door: claim, heartbeat, finish."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from app.api import answers, schemas
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
from app.http.problems import KINDS
from app.http.route import WorkerRoute
from app.queue.requests import Claim, Finish, FinishAction
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
    service: Service, request: Request, body: schemas.FinishTasks, room: TheRoom
) -> Response:
    leases = [lease_of(item.lease_id) for item in body.items]
    finishes = [_finish(item) for item in body.items]
    wanted = _claim(body.claim) if body.claim is not None else None
    wait_seconds = body.claim.wait_seconds if body.claim is not None else 0
    if wanted is not None:
        _hear(service, request, wanted)
    del body  # as above
    answering = service.leases.finish_and_claim(
        finishes,
        wanted,
        wait_seconds=wait_seconds,
        gone=gone_of(request),
        only_waits=room.leave_early,
    )
    del finishes  # they are as long as the body
    answered = await answering
    items = [
        _finished(lease, answer, answered.cut)
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
    response_model=answers.TaskDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Complete the task",
)
async def complete(
    service: Service, lease_id: TheLease, body: schemas.Complete = schemas.Complete()
) -> Response:
    return await _end(
        service, Finish(lease_of(lease_id), FinishAction.COMPLETE, result=body.result)
    )


@router.post(
    "/leases/{lease_id}/fail",
    response_model=answers.TaskDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Fail the attempt",
)
async def fail(
    service: Service, lease_id: TheLease, body: schemas.Fail = schemas.Fail()
) -> Response:
    return await _end(
        service,
        Finish(
            lease_of(lease_id),
            FinishAction.FAIL,
            error=body.error,
            retryable=body.retryable,
            retry_after_seconds=body.retry_after_seconds,
        ),
    )


@router.post(
    "/leases/{lease_id}/release",
    response_model=answers.TaskDocument,
    responses=problems(404, 409, *BODY_PROBLEMS),
    summary="Release the task; this does not count as a retry",
)
async def release(
    service: Service, lease_id: TheLease, body: schemas.Release = schemas.Release()
) -> Response:
    return await _end(service, _released(lease_of(lease_id), body))


async def _end(service: Service, finish: Finish) -> Response:
    return JsonAnswer(task_document(await service.leases.finish(finish)))


def _hear(service: Services, request: Request, claim: Claim) -> None:
    """Whatever comes of the claim: the worker is there."""
    service.workers.hear(claim.worker, claim.queues, agent_of(request), address_of(request))


def _claim(body: schemas.ClaimTasks) -> Claim:
    return Claim(body.worker, tuple(dict.fromkeys(body.queues)), body.limit, body.lease_seconds)


def _finish(item: schemas.FinishItem) -> Finish:
    if item.outcome == "release":
        return _released(lease_of(item.lease_id), item)
    return Finish(
        lease_of(item.lease_id),
        FinishAction(item.outcome),
        result=item.result,
        error=item.error,
        retryable=item.retryable,
        retry_after_seconds=item.retry_after_seconds,
    )


def _released(lease: Lease, body: schemas.Release | schemas.FinishItem) -> Finish:
    return Finish(
        lease, FinishAction.RELEASE, error=body.reason, delay_seconds=body.delay_seconds or 0
    )


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


def _finished(lease: Lease, answer: Task | RowlockError, cut: frozenset[int]) -> dict[str, Any]:
    item: dict[str, Any] = {"lease_id": str(lease), "status": 200}
    if isinstance(answer, RowlockError):
        item = _refused(lease, answer)
    task = answer if isinstance(answer, Task) else answer.facts.get("task")
    if isinstance(task, Task) and task.id not in cut:
        item["task"] = orjson.Fragment(task_document(task))
    return item
