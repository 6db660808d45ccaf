"""The groups of a queue, and what they have of their own: the calls, and what goes in."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, model_validator

from app.api import answers, fields
from app.api.cursor import Asked, name_of, next_name_link
from app.api.queue_settings import TheQueue
from app.api.responses import BODY_PROBLEMS, NEXT_PAGE, JsonAnswer, problems
from app.api.schemas import Input, PageQuery
from app.api.services import Service
from app.domain.documents import dumps
from app.domain.slots import Group
from app.http.route import AdminRoute

router = APIRouter(prefix="/admin/queues", route_class=AdminRoute, tags=["admin"])

TheGroup = Annotated[fields.GroupKey, Path(description="The group, as its tasks name it.")]
# Slashes that were sent as `%2F` are slashes again by now.
_PATH = "/{name}/groups/{group:anything}"


class GroupsQuery(PageQuery):
    waiting: bool = Field(default=False, description="Only groups in which tasks wait for slots.")


class SetGroup(Input):
    """What a group has of its own, at least one of these; what is left out is as the queue has
    it."""

    running: fields.Running | None = Field(
        default=None,
        description="So many of its tasks run at a time, whatever the queue's settings say.",
    )
    weight: fields.Weight | None = Field(
        default=None,
        description="Where groups take turns, so many for one of a group's that has none set.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> "SetGroup":
        if not self.model_fields_set:
            raise ValueError("needs running, weight or both")
        return self


@router.get(
    "/{name}/groups",
    response_model=list[answers.GroupDocument],
    responses={200: NEXT_PAGE, **problems()},
    summary="List a queue's groups that have slots, wait or have something of their own, by page",
)
async def queue_groups(
    service: Service, request: Request, name: TheQueue, query: Annotated[GroupsQuery, Query()]
) -> Response:
    asked = _asked(name, query)
    found = await service.admin.groups(
        name, is_waiting=query.waiting, after=name_of(query.cursor, asked), limit=query.limit
    )
    headers = {} if found.last is None else {"Link": next_name_link(request, found.last, asked)}
    return JsonAnswer(dumps([state._asdict() for state in found.states]), headers=headers)


@router.put(
    _PATH,
    response_model=answers.GroupDocument,
    responses=problems(*BODY_PROBLEMS),
    summary="Replace the limit and the weight of a group's own; nobody is stopped by a lower limit",
)
async def set_group(service: Service, name: TheQueue, group: TheGroup, body: SetGroup) -> Response:
    state = await service.admin.set_group(
        Group(name, group), running=body.running, weight=body.weight
    )
    return JsonAnswer(dumps(state._asdict()))


@router.delete(
    _PATH,
    status_code=204,
    responses=problems(),
    summary="Take away what a group has of its own, if it has anything",
)
async def unset_group(service: Service, name: TheQueue, group: TheGroup) -> Response:
    await service.admin.unset_group(Group(name, group))
    return Response(status_code=204)


def _asked(queue: str, query: GroupsQuery) -> Asked:
    return {"list": "groups", "queue": queue, **({"waiting": True} if query.waiting else {})}
