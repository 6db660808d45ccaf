"""Attempts to end, as models, and what they come to."""

from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from app.api import fields
from app.api.schemas import ClaimTasks, Input
from app.api.submissions import SubmitItem, new_tasks
from app.domain.task import Lease
from app.queue.requests import Finish, FinishAction

SUBMIT_LIMIT: Final = 100


class _Submits(Input):
    """An end that may store tasks."""

    submit: Annotated[list[SubmitItem], Field(max_length=SUBMIT_LIMIT)] = Field(
        default=[],
        description="Tasks to store in the same transaction, if the lease still holds; else, or if "
        "one of them cannot be stored, neither happens.",
    )


class Complete(_Submits):
    result: fields.JsonText = Field(default=None, description="Any JSON up to 256 KiB.")

    def to_finish(self, lease: Lease) -> Finish:
        """For the queue. Raises `InvalidRequestError`."""
        tasks = new_tasks(self.submit, within="submit")
        return Finish(lease, FinishAction.COMPLETE, result=self.result, submit=tasks)


class Fail(_Submits):
    error: fields.LongText | None = None
    retryable: bool = True
    retry_after_seconds: fields.DelaySeconds | None = Field(
        default=None, description="Replaces the task's own delay for this retry."
    )

    def to_finish(self, lease: Lease) -> Finish:
        """For the queue. Raises `InvalidRequestError`."""
        return Finish(
            lease,
            FinishAction.FAIL,
            error=self.error,
            retryable=self.retryable,
            retry_after_seconds=self.retry_after_seconds,
            submit=new_tasks(self.submit, within="submit"),
        )


class Release(Input):
    delay_seconds: fields.DelaySeconds | None = Field(
        default=None, description="It may be claimed again after this long; by default at once."
    )
    reason: fields.LongText | None = Field(
        default=None, description="Shown as the error of the task and of this attempt."
    )

    def to_finish(self, lease: Lease) -> Finish:
        """For the queue."""
        return _released(lease, self)


class FinishItem(_Submits):
    """An attempt to finish. `delay_seconds` and `reason` are those of a release."""

    lease_id: fields.LeaseId
    outcome: Literal["complete", "fail", "release"]
    result: fields.JsonText = None
    error: fields.LongText | None = None
    retryable: bool = True
    retry_after_seconds: fields.DelaySeconds | None = None
    delay_seconds: fields.DelaySeconds | None = None
    reason: fields.LongText | None = None

    @field_validator("outcome")
    @classmethod
    def _ends_if_it_submits(cls, outcome: str, info: ValidationInfo) -> str:
        if outcome == "release" and info.data.get("submit"):
            raise ValueError("must be complete or fail where there is submit")
        return outcome

    def to_finish(self, lease: Lease, place: int) -> Finish:
        """For the queue; it is at that place of the items. Raises `InvalidRequestError`."""
        if self.outcome == "release":
            return _released(lease, self)
        return Finish(
            lease,
            FinishAction(self.outcome),
            result=self.result,
            error=self.error,
            retryable=self.retryable,
            retry_after_seconds=self.retry_after_seconds,
            submit=new_tasks(self.submit, within=f"items.{place}.submit"),
        )


class FinishTasks(Input):
    """Attempts to finish and tasks to claim, in one transaction."""

    items: Annotated[list[FinishItem], Field(max_length=100)]
    claim: ClaimTasks | None = None


def _released(lease: Lease, body: Release | FinishItem) -> Finish:
    return Finish(
        lease, FinishAction.RELEASE, error=body.reason, delay_seconds=body.delay_seconds or 0
    )
