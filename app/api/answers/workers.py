"""Workers, and what they hold."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.worker import SILENT_SECONDS, WorkerState


class WorkerDocument(BaseModel):
    """A worker, as the server last heard of it, up to 40 s ago."""

    worker: str = Field(examples=["host-1"])
    agent: str | None = Field(
        description="The `User-Agent` of its calls.",
        examples=["rowlock-python/0.1.0 (host-1)"],
    )
    address: str | None = Field(description="Where its calls come from.", examples=["192.0.2.7"])
    queues: list[str] = Field(
        description="The queues it polls; of one that was not heard of, those of its tasks.",
        examples=[["images", "default"]],
    )
    first_seen_at: datetime
    last_seen_at: datetime = Field(description="When it last asked for tasks.")
    state: WorkerState = Field(
        description="`running`: it holds tasks. `polling`: it holds none, and has asked for some "
        f"within {SILENT_SECONDS} s. `silent`: neither."
    )
    running: int = Field(description="How many tasks it holds.")
    oldest_started_at: datetime | None = Field(description="Since when it holds the oldest.")


class HeldTaskDocument(BaseModel):
    task_id: int
    title: str
    queue: str
    attempt: int
    started_at: datetime
    deadline: datetime


class WorkerDetailsDocument(WorkerDocument):
    """A worker, and the tasks that it holds."""

    leases: list[HeldTaskDocument] = Field(
        description="The tasks that it holds, the oldest first; 1,000 at most."
    )
