"""The admin door: how the servers are, and which processes there are."""

from fastapi import APIRouter, Response

from app.api import answers
from app.api.responses import JsonAnswer, problems
from app.api.services import Service
from app.domain.documents import dumps
from app.http.route import AdminRoute
from app.runtime.steady_clock import steady_seconds

router = APIRouter(prefix="/admin", route_class=AdminRoute, tags=["admin"])


@router.get(
    "/doctor",
    response_model=answers.ExaminationDocument,
    responses=problems(),
    summary="Check MySQL and Redis, and get what is to be done",
)
async def doctor(service: Service) -> Response:
    found = await service.examination(None)
    verdicts = {finding.verdict for finding in found.findings}
    document = {
        "verdict": next(worst for worst in ("bad", "note", "ok") if worst in verdicts),
        "age_seconds": steady_seconds() - found.at,
        "findings": [finding._asdict() for finding in found.findings],
    }
    return JsonAnswer(dumps(document))


@router.get(
    "/processes",
    response_model=answers.ProcessesDocument,
    responses=problems(),
    summary="List the processes and their sweeps",
)
async def processes(service: Service) -> Response:
    found, sweeps = await service.admin.processes()
    document = {
        "processes": [process._asdict() for process in found],
        "sweeps": [sweep._asdict() for sweep in sweeps],
    }
    return JsonAnswer(dumps(document))
