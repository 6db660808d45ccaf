"""What goes in, as models: one half of the contract, and of the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api import fields
from app.api.fields import MAX_ID
from app.api.unique_key import UniqueKey
from app.domain.states import Backoff, Priority, Status
from app.domain.task import NewTask
from app.queue.lists.filters import TaskFilter
from app.service.bulk import COUNT_LIMIT


class Input(BaseModel):
    """Strict: no unknown fields, no type is bent into another."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TaskTemplate(Input):
    """A task to submit, whenever that is."""

    title: Annotated[fields.Title, Field(examples=["resize image"])]
    description: fields.LongText | None = None
    priority: fields.AnyPriority = Priority.MEDIUM
    tags: fields.Tags = []
    due_date: fields.Time | None = Field(default=None, description="Informational; not enforced.")
    timeout_seconds: fields.TimeoutSeconds = 300
    retry_limit: fields.RetryLimit = 3
    retry_delay_seconds: fields.DelaySeconds = 5
    retry_backoff: Backoff = Backoff.EXPONENTIAL
    queue: fields.QueueName = "default"
    payload: fields.JsonText = Field(default=None, description="Any JSON up to 256 KiB.")
    unique: UniqueKey | None = Field(
        default=None, description="One task at most holds a key in its queue."
    )
    group: fields.GroupKey | None = Field(
        default=None,
        description="Whose it is: of a group as many run at a time as its queue's settings say.",
        examples=["customer-17"],
    )

    def to_new_task(
        self, traceparent: str | None = None, *, available_at: datetime | None = None
    ) -> NewTask:
        """For the queue."""
        return NewTask(
            title=self.title,
            description=self.description,
            priority=self.priority,
            queue=self.queue,
            tag_names=tuple(self.tags),
            due_date=self.due_date,
            timeout_seconds=self.timeout_seconds,
            retry_limit=self.retry_limit,
            retry_delay_seconds=self.retry_delay_seconds,
            retry_backoff=self.retry_backoff,
            available_at=available_at,
            payload=self.payload,
            traceparent=traceparent,
            unique=None if self.unique is None else self.unique.to_unique(),
            group_key=self.group,
        )


class PatchTask(Input):
    """A merge patch (RFC 7396): omitted fields stay; null clears an optional field."""

    title: fields.Title = ""
    description: fields.LongText | None = None
    priority: fields.AnyPriority = Priority.MEDIUM
    tags: fields.Tags | None = None
    due_date: fields.Time | None = None
    timeout_seconds: fields.TimeoutSeconds = 300
    retry_limit: fields.RetryLimit = 3
    retry_delay_seconds: fields.DelaySeconds = 5
    retry_backoff: Backoff = Backoff.EXPONENTIAL
    payload: fields.JsonText = None

    def changes(self) -> dict[str, Any]:
        """The columns to change."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"tags"}}

    def tag_names(self) -> list[str] | None:
        """The tags to have from now on; None: as they are."""
        return (self.tags or []) if "tags" in self.model_fields_set else None


class Query(BaseModel):
    """Query parameters: text, so numbers are read from it; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FilterQuery(Query):
    """The filters of `GET /tasks`. All combine."""

    status: list[Status] = Field(default=[], description="Any of these statuses.")
    priority: list[fields.AnyPriority] = Field(default=[], description="Any of these priorities.")
    queue: list[fields.QueueName] = Field(default=[], description="Any of these queues.")
    tag: list[fields.TagName] = Field(default=[], max_length=32, description="All of these tags.")
    id: list[Annotated[int, Field(ge=1, le=MAX_ID), fields.IntegerText]] = Field(
        default=[], max_length=1000, description="Any of these ids."
    )
    title: Annotated[
        fields.Title | None, Field(description="The title contains this text; case is ignored.")
    ] = None
    created_after: fields.Time | None = Field(
        default=None, description="Created at or after this time."
    )
    created_before: fields.Time | None = Field(
        default=None, description="Created before this time."
    )
    due_after: fields.Time | None = Field(default=None, description="Due at or after this time.")
    due_before: fields.Time | None = Field(default=None, description="Due before this time.")
    worker: Annotated[
        fields.WorkerName | None, Field(description="The last worker that claimed it.")
    ] = None
    completed_after: fields.Time | None = Field(
        default=None, description="Done at or after this time."
    )
    completed_before: fields.Time | None = Field(default=None, description="Done before this time.")
    available_after: fields.Time | None = Field(
        default=None, description="With an `available_at` at or after this time."
    )
    available_before: fields.Time | None = Field(
        default=None, description="With an `available_at` before this time."
    )

    def to_filter(self) -> TaskFilter:
        """For the queue."""
        return TaskFilter(
            # Each once: what is asked for twice would be answered twice.
            status=tuple(dict.fromkeys(self.status)),
            priority=tuple(dict.fromkeys(self.priority)),
            queue=tuple(dict.fromkeys(self.queue)),
            tags=tuple(dict.fromkeys(self.tag)),
            ids=tuple(dict.fromkeys(self.id)),
            title=self.title,
            created_after=self.created_after,
            created_before=self.created_before,
            due_after=self.due_after,
            due_before=self.due_before,
            worker=self.worker,
            completed_after=self.completed_after,
            completed_before=self.completed_before,
            available_after=self.available_after,
            available_before=self.available_before,
        )


class PageQuery(Query):
    """A page of a list that is no list of tasks."""

    limit: Annotated[
        int,
        Field(ge=1, le=1000, description="Maximum number of entries per page."),
        fields.IntegerText,
    ] = 200
    cursor: str | None = Field(
        default=None, description="From the `Link` header of the previous page."
    )


class QueuesQuery(PageQuery):
    queue: list[fields.QueueName] = Field(
        default=[], max_length=1000, description="Only these queues; by default all."
    )


class HistoryQuery(Query):
    queue: Annotated[
        fields.QueueName | None, Field(description="Only this queue; by default all together.")
    ] = None
    minutes: Annotated[
        int,
        Field(
            ge=1,
            le=20_160,
            description="How far back: up to an hour in minutes, up to 14 days in hours.",
        ),
        fields.IntegerText,
    ] = 60


class WorkersQuery(PageQuery):
    queue: list[fields.QueueName] = Field(
        default=[],
        max_length=64,
        description="Only workers that poll one of these queues, or hold a task of one.",
    )
    seen_within_seconds: Annotated[
        int | None,
        Field(
            ge=1,
            le=86_400,
            description="Only workers that have polled within so many seconds, or hold a task.",
        ),
        fields.IntegerText,
    ] = None


class ListQuery(FilterQuery):
    limit: Annotated[
        int,
        Field(ge=1, le=1000, description="Maximum number of tasks per page."),
        fields.IntegerText,
    ] = 50
    order: Literal["asc", "desc"] = Field(default="desc", description="`desc` is newest first.")
    order_by: Literal["created_at", "available_at"] = Field(
        default="created_at",
        description="`available_at` lists only the tasks that wait for their time, by that.",
    )
    view: Literal["full", "summary"] = Field(
        default="full",
        description="`summary` is without `description`, `payload` and `result`, with the head of "
        "`error`, and with their sizes.",
    )
    cursor: str | None = Field(
        default=None, description="From the `Link` header of the previous page."
    )


class CountQuery(FilterQuery):
    limit: Annotated[
        int,
        Field(ge=1, le=100_000, description="What is not known already is counted so far."),
        fields.IntegerText,
    ] = 100_000


class ActionQuery(FilterQuery):
    dry_run: bool = Field(default=False, description="Only count the tasks that match.")
    limit: Annotated[
        int | None,
        Field(ge=1, le=1000, description="Maximum number of tasks of this call; by default all."),
        fields.IntegerText,
    ] = None
    after: str | None = Field(
        default=None, description="`next` of the previous call with the same filters."
    )
    expect_at_most: Annotated[
        int | None,
        Field(ge=0, le=COUNT_LIMIT, description="If more tasks match, 409 and nothing is changed."),
        fields.IntegerText,
    ] = None


class InterveneQuery(Query):
    descendants: bool = Field(
        default=False,
        description="`retry` only: retry too what was cancelled because it depends on the task.",
    )
    ancestors: bool = Field(
        default=False,
        description="`cancel` only: cancel too what the task depends on, where no other task waits "
        "for it.",
    )


class WaitQuery(Query):
    wait_seconds: Annotated[
        float | None,
        Field(ge=1, le=60, description="Maximum time to wait for the task to end."),
        fields.NumberText,
    ] = None


class ClaimTasks(Input):
    """A claim for tasks."""

    worker: Annotated[fields.WorkerName, Field(examples=["host-1"])]
    queues: Annotated[list[fields.QueueName], Field(min_length=1, max_length=64)] = ["default"]
    limit: Annotated[int, Field(ge=1, le=100), fields.WHOLE] = 1
    wait_seconds: Annotated[float, Field(ge=0, le=30)] = 0
    lease_seconds: Annotated[
        fields.LeaseSeconds | None,
        Field(description="The lease is lost after this long without a heartbeat."),
    ] = None


class Heartbeat(Input):
    progress: fields.JsonText = Field(default=None, description="Any JSON up to 256 KiB.")


class HeartbeatItem(Heartbeat):
    """A heartbeat of one attempt."""

    lease_id: fields.LeaseId


class SendHeartbeats(Input):
    """Heartbeats of a worker's attempts."""

    items: Annotated[list[HeartbeatItem], Field(max_length=1000)]
