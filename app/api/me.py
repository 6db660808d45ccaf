"""Who the caller is to this server, and what a page needs to know of it from the beginning."""

from fastapi import APIRouter, Request, Response

import rowlock
from app.api import answers
from app.api.readiness import redis_state
from app.api.responses import JsonAnswer, problems
from app.api.services import Service
from app.domain.documents import dumps
from app.domain.errors import DatabaseAwayError
from app.http.route import KnownRoute
from app.mysql.connection import Connection

router = APIRouter(route_class=KnownRoute, tags=["operations"])


@router.get(
    "/me",
    response_model=answers.MeDocument,
    responses=problems(),
    summary="Get what the token opens, and the server's version, time and state",
)
async def me(service: Service, request: Request) -> Response:
    resources = service.resources
    try:
        time = await resources.database.read(Connection.now)
    except DatabaseAwayError:
        time = None
    document = {
        "doors": request.app.state.doorkeeper.doors_of(request),
        "version": rowlock.__version__,
        "time": time,
        "redis": await redis_state(resources.redis),
        "retention_days": resources.settings.retention_days,
    }
    return JsonAnswer(dumps(document))
