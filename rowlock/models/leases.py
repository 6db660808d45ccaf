"""Leases: claimed, kept alive, finished."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel

from rowlock.models.answer import Answer
from rowlock.models.tasks import Task

_CONFLICT: Final = 409
_INVALID: Final = 422


class Lease(Answer):
    """A claimed task, with the time at which the lease expires."""

    lease_id: str
    attempt: int
    deadline: datetime
    expires_at: datetime
    task: Task


class FinishedItem(BaseModel):
    """What became of one finish. The task that comes with it is not read: nobody asks."""

    lease_id: str
    status: int
    type: str | None = None
    detail: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the lease still holds, and what was to be stored with its end could not be."""
        is_gone = self.type in (None, "urn:rowlock:lease-is-gone")
        return self.status == _INVALID or (self.status == _CONFLICT and not is_gone)


class HeartbeatItem(BaseModel):
    """What became of one heartbeat."""

    lease_id: str
    status: int
    outcome: str | None = None
    detail: str | None = None


class HeartbeatItems(BaseModel):
    """What `POST /leases/heartbeat` says."""

    items: list[HeartbeatItem]


class Finished(BaseModel):
    """What `POST /leases/finish` says."""

    items: list[FinishedItem]
    leases: list[Lease]
