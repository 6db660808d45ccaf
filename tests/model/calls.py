"""What is said in a call, and of one that is refused."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from app.domain.states import Outcome
from tests.support.calls import Document

FINISHES = {"complete": Outcome.DONE, "fail": Outcome.FAILED, "release": Outcome.RELEASED}


class Refused(NamedTuple):
    """A call that changes nothing, with what its problem document says for programs."""

    status: int
    facts: Document


class Keyed(NamedTuple):
    """What an idempotency key stands for."""

    body: Any
    ids: list[int]


@dataclass(frozen=True)
class Finish:
    """What a worker says of its attempt."""

    lease_id: str
    outcome: str
    result: Any = None
    error: str | None = None
    retryable: bool = True
    retry_after_seconds: int | None = None
    delay_seconds: int | None = None
    reason: str | None = None
