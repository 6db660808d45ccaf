"""What a submission says of its unique key, as a model."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from app.api import fields
from app.domain.unique import Conflict, Hold, Unique


class UniqueKey(BaseModel, strict=True, extra="forbid", frozen=True):
    """A key that one task of a queue holds at a time."""

    key: Annotated[fields.UniqueKey, Field(examples=["customer-17"])]
    hold: Hold = Field(
        default=Hold.WAITING,
        alias="while",
        description="`waiting` holds the key until the task is first claimed, `active` "
        "until it has ended.",
    )
    conflict: Conflict | None = Field(
        default=None,
        description="If another task holds the key: `keep` (default) answers with that task, "
        "`replace` gives it what this one says, `reject` is 409.",
    )
    debounce_seconds: fields.DebounceSeconds | None = Field(
        default=None,
        description="Replaces, and sets `available_at` to so many seconds from now on.",
    )
    debounce_limit_seconds: fields.DebounceLimitSeconds | None = Field(
        default=None,
        description="The task is put off no longer than this from its creation on; by default ten "
        "times `debounce_seconds`.",
    )

    @field_validator("debounce_seconds")
    @classmethod
    def _replaces_what_waits(cls, seconds: int | None, info: ValidationInfo) -> int | None:
        if seconds is not None and info.data.get("hold") is Hold.ACTIVE:
            raise ValueError("must be left out where while is active")
        if seconds is not None and info.data.get("conflict") is not None:
            raise ValueError("must be left out where there is a conflict: it always replaces")
        return seconds

    @field_validator("debounce_limit_seconds")
    @classmethod
    def _is_of_a_debounce(cls, seconds: int | None, info: ValidationInfo) -> int | None:
        if seconds is None or "debounce_seconds" not in info.data:
            return seconds
        if info.data["debounce_seconds"] is None:
            raise ValueError("must be left out where there is no debounce_seconds")
        if seconds < info.data["debounce_seconds"]:
            raise ValueError("must be at least debounce_seconds")
        return seconds

    def to_unique(self) -> Unique:
        """For the queue."""
        return Unique(
            self.key,
            self.hold,
            self.conflict or Conflict.KEEP,
            self.debounce_seconds,
            self.debounce_limit_seconds,
        )
