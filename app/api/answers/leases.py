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


class FinishedItem(BaseModel):
    lease_id: str
    status: Literal[200, 404, 409]
    task: TaskDocument | None = None
    detail: str | None = None


class FinishedDocument(BaseModel):
    items: list[FinishedItem]
    leases: list[LeaseDocument]
