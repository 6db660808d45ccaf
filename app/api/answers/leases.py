"""Leases: claimed, kept alive, finished."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.api.answers.tasks import TaskDocument
from app.domain.states import Outcome


class LeaseDocument(BaseModel):
    lease_id: str = Field(examples=["1.0123456789abcdef0123456789abcdef"])
    attempt: int
    deadline: datetime
    expires_at: datetime
    task: TaskDocument


class HeartbeatDocument(BaseModel):
    expires_at: datetime
    deadline: datetime


class HeartbeatItem(BaseModel):
    lease_id: str
    status: Literal[200, 404, 409]
    expires_at: datetime | None = None
    deadline: datetime | None = None
    outcome: Outcome | None = Field(default=None, description="Why the lease is gone.")
    detail: str | None = None


class HeartbeatsDocument(BaseModel):
    items: list[HeartbeatItem]


class EndedTask(TaskDocument):
    """A task after the end of an attempt."""

    submitted: list[int] = Field(
        default=[],
        description="With `submit`: the ids of its tasks, in order. If the attempt had ended "
        "before, those that were stored then and still exist.",
        examples=[[18, 19]],
    )


class FinishedItem(BaseModel):
    lease_id: str
    status: Literal[200, 404, 409, 422]
    task: TaskDocument | None = None
    submitted: list[int] | None = Field(default=None, description="As in the answer to `complete`.")
    type: str | None = Field(
        default=None,
        description="As in a problem document, like `errors`.",
        examples=["urn:rowlock:lease-is-gone"],
    )
    detail: str | None = None
    errors: list[dict[str, str]] | None = None


class FinishedDocument(BaseModel):
    items: list[FinishedItem]
    leases: list[LeaseDocument]
