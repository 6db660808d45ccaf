"""What `GET /tasks/{id}/why` answers, as models. `app/domain/reasons.py` makes it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.domain.states import Status


class Said(BaseModel):
    """One of several reasons."""

    detail: str = Field(description="The reason as a sentence.")


class Ended(Said):
    """It is done, failed or cancelled."""

    reason: Literal["ended"]
    since: datetime = Field(description="When it was done; of others the last change.")


class Paused(Said):
    """It waits to be resumed."""

    reason: Literal["paused"]
    since: datetime = Field(description="Its last change.")


class Held(Said):
    """A worker has it."""

    reason: Literal["held"]
    worker: str | None
    attempt: int
    started_at: datetime
    deadline: datetime
    last_heartbeat_at: datetime | None = Field(
        description="When the worker was last heard of, at the earliest. Null: it promised no "
        "heartbeats, or none is known."
    )
    ends_at: datetime = Field(
        description="When the sweep ends the attempt if nothing more is heard of it; once this is "
        "over, the next sweep does."
    )
    ends_as: Literal["timed_out", "lost"]
    becomes: Literal[Status.RETRYING, Status.FAILED] = Field(
        description="The task's status after that."
    )


class NotYet(Said):
    """It may be claimed later. Once `until` is over, the next sweep makes it claimable."""

    reason: Literal["not_yet"]
    until: datetime
    retry: int | None = Field(description="The number of the retry it waits for, if it is one.")
    retry_limit: int | None


class AwaitedTask(BaseModel):
    """A task that has to end first."""

    id: int
    status: Status


class WaitsForTasks(Said):
    """Tasks that it depends on have not ended. Once all have, it is freed at once, or by the next
    sweep."""

    reason: Literal["waits_for_tasks"]
    unmet: int = Field(description="How many have not ended.")
    total: int = Field(description="How many it depends on.")
    at_least: bool = Field(description="They are more than 1,000, and not counted further.")
    parents: list[AwaitedTask] = Field(description="The first 10 that have not ended.")


class WaitsForSlot(Said):
    """As many tasks of its group, or of its queue, as may run do, or may be claimed. Whoever ends
    hands the slot to the next one. If one is free, the next sweep does."""

    reason: Literal["waits_for_slot"]
    group: str | None = Field(description="Whose slot it needs; null: its queue's.")
    held: int = Field(description="Tasks that have one.")
    running_limit: int | None = Field(description="How many there are; null: any number.")
    ahead: int = Field(le=1000, description="How many of those that wait come before it.")
    at_least: bool = Field(description="They are more than 1,000, and not counted further.")


class NoScheduler(Said):
    """What is due is not done: nobody sweeps."""

    reason: Literal["no_scheduler"]
    last_run_at: datetime | None


class QueuePaused(Said):
    """Its queue hands out nothing."""

    reason: Literal["queue_paused"]
    since: datetime


class RowLocked(Said):
    """Another connection to MySQL holds its row."""

    reason: Literal["row_locked"]


class NoWorker(Said):
    """No worker has asked its queue for tasks in the last 90 s."""

    reason: Literal["no_worker"]
    last_poll_at: datetime | None = Field(description="Null: no worker is known that ever did.")
    in_progress: int | None = Field(
        description="Tasks of the queue in progress: its workers may be busy. Null: not known."
    )


class Behind(Said):
    """Others of its queue are claimed first."""

    reason: Literal["behind"]
    tasks: int = Field(le=1000, description="How many.")
    at_least: bool = Field(description="They are more than 1,000, and not counted further.")
    ended_per_minute: float | None = Field(
        description="Attempts of the queue that ended in the last 5 minutes. Null: not known."
    )
    expected_at: datetime | None = Field(
        description="When its turn may come at that rate, roughly. Null: cannot be said."
    )


class Due(Said):
    """Nothing is in its way: the next worker that asks gets it."""

    reason: Literal["due"]
    since: datetime


class UnknownPart(Said):
    """Whether another reason applies could not be found out in time."""

    reason: Literal["unknown"]
    part: Literal[
        "waits_for_tasks",
        "waits_for_slot",
        "row_locked",
        "no_worker",
        "behind",
        "throughput",
        "last_heartbeat",
    ]


Reason = Annotated[
    Ended
    | Paused
    | Held
    | NotYet
    | WaitsForTasks
    | WaitsForSlot
    | NoScheduler
    | QueuePaused
    | RowLocked
    | NoWorker
    | Behind
    | Due
    | UnknownPart,
    Field(discriminator="reason"),
]


class WhyDocument(BaseModel):
    """What a task waits for."""

    status: Status
    is_claimable: bool = Field(
        description="Whether a worker that asks its queue gets it, once those ahead are taken."
    )
    reasons: list[Reason] = Field(
        min_length=1, description="All that apply, the most decisive first."
    )
