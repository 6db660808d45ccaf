"""How an attempt in a test ended."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    `outcome` is what the task's history would say: `done`, `failed`, `timed_out`, `cancelled`,
    `lost`, `deleted` or `released`. `status` is the task's after it: `retrying` if it failed and
    has retries left, `to_do` if it was released, None if it was deleted.

    `result` is as clients would read it; `error` is what the task would show, and `exception`
    what was raised. `retry_after_seconds` is the delay that a `Retry` asked for; None: the
    task's own. `progress` is all that was reported, in order. `then` are the tasks of a `Done`, as
    they would be sent.
    """

    outcome: str
    status: str | None
    result: Any
    error: str | None
    exception: BaseException | None
    retry_after_seconds: int | None
    progress: list[Any]
    then: list[dict[str, Any]] = field(default_factory=list)
