"""What is set for a queue: the calls, and what goes in."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AliasChoices, Field, ValidationInfo, field_validator

from app.api import answers, fields
from app.api.responses import BODY_PROBLEMS, JsonAnswer, problems
from app.api.schemas import Input
from app.api.services import Service
from app.domain.ageing import Ageing
from app.domain.documents import dumps
from app.domain.queue_settings import QueueSettings
from app.domain.rates import MOST_SECONDS, Rate, least_burst
from app.domain.slots import Limits
from app.domain.states import Priority
from app.http.route import AdminRoute
from app.queue.queue_settings import StoredSettings

router = APIRouter(prefix="/admin/queues", route_class=AdminRoute, tags=["admin"])

TheQueue = Annotated[fields.QueueName, Path(description="The queue's name.")]


class AgeingSeconds(Input):
    """How much later a task counts as having come, by its priority; 高 counts as it came."""

    medium: fields.AgeingSeconds | None = Field(
        default=None, validation_alias=AliasChoices("中", "medium")
    )
    low: fields.AgeingSeconds | None = Field(
        default=None,
        validation_alias=AliasChoices("低", "low"),
        description="At least as much as 中 has, which has to have some, too.",
    )

    @field_validator("low")
    @classmethod
    def _is_not_before_medium(cls, low: int | None, info: ValidationInfo) -> int | None:
        if low is None or "medium" not in info.data:  # which is wrong by itself
            return low
        medium: int | None = info.data["medium"]
        if medium is None:
            raise ValueError("needs 中 to have some, too: 低 would come before it")
        if low < medium:
            raise ValueError(f"must be at least that of 中, {medium:,}")
        return low

    def to_ageing(self) -> Ageing | None:
        """For the queue; None: nothing ages."""
        found = {Priority.MEDIUM: self.medium, Priority.LOW: self.low}
        seconds = {priority: age for priority, age in found.items() if age is not None}
        return Ageing.of(seconds) if seconds else None


class RateLimit(Input):
    """So many attempts begin in so many seconds, at an even pace, and `burst` of them at once."""

    limit: fields.Running
    per_seconds: Annotated[int, Field(ge=1, le=MOST_SECONDS), fields.WHOLE]
    burst: fields.Running | None = Field(
        default=None,
        description="At least as many as come in a second, which is the default.",
    )

    @field_validator("burst")
    @classmethod
    def _covers_a_second(cls, burst: int | None, info: ValidationInfo) -> int | None:
        if burst is None or not {"limit", "per_seconds"} <= info.data.keys():
            return burst
        least = least_burst(info.data["limit"], info.data["per_seconds"])
        if burst < least:
            raise ValueError(f"must be at least what comes in a second, {least:,}")
        return burst

    def to_rate(self) -> Rate:
        """For the queue."""
        burst = self.burst or least_burst(self.limit, self.per_seconds)
        return Rate(self.limit, self.per_seconds, burst)


class SetQueueSettings(Input):
    """What to set for a queue; what is left out has its default from then on."""

    ageing_seconds: AgeingSeconds | None = Field(
        default=None, description="null: tasks are claimed strictly by priority."
    )

    running: fields.Running | None = Field(
        default=None, description="So many of its tasks run at a time; null: any number."
    )
    running_per_group: fields.Running | None = Field(
        default=None,
        description="So many tasks of each of its groups run at a time; null: any number.",
    )

    fair: bool = Field(
        default=False,
        description="Its groups take turns, however many tasks each of them has; of each priority "
        "by itself.",
    )
    rate: RateLimit | None = Field(
        default=None, description="So many attempts begin in a time; null: any number."
    )
    rate_per_group: RateLimit | None = Field(
        default=None,
        description="So many attempts begin in a time, of each of its groups; null: any number.",
    )

    def to_settings(self) -> QueueSettings:
        """For the queue."""
        ages = self.ageing_seconds
        return QueueSettings(
            None if ages is None else ages.to_ageing(),
            Limits(
                self.running,
                self.running_per_group,
                None if self.rate is None else self.rate.to_rate(),
                None if self.rate_per_group is None else self.rate_per_group.to_rate(),
                self.fair,
            ),
        )


@router.get(
    "/{name}/settings",
    response_model=answers.QueueSettingsDocument,
    responses=problems(),
    summary="Get what is set for a queue",
)
async def queue_settings(service: Service, name: TheQueue) -> Response:
    return _answer(name, await service.admin.settings_of(name))


@router.put(
    "/{name}/settings",
    response_model=answers.QueueSettingsDocument,
    responses=problems(*BODY_PROBLEMS),
    summary="Replace what is set for a queue; in about a second it is in force",
)
async def set_queue_settings(service: Service, name: TheQueue, body: SetQueueSettings) -> Response:
    return _answer(name, await service.admin.set_settings(name, body.to_settings()))


def _answer(queue: str, stored: StoredSettings) -> Response:
    document = stored.settings.document()
    return JsonAnswer(dumps({"queue": queue, **document, "in_force_at": stored.in_force_at}))
