"""How an attempt ended, as it is told to the server."""

import math
from typing import Final, NamedTuple

from rowlock.encoding import encode
from rowlock.worker.failures import Failure

ERROR_LIMIT_BYTES: Final = 65_535
RETRY_LIMIT_SECONDS: Final = 86_400


class FinishItem(NamedTuple):
    """An item of `POST /leases/finish`, worth telling until `deadline` on the worker's clock.

    One that the server refused among others is told alone.
    """

    lease_id: str
    deadline: float
    is_complete: bool
    item: bytes
    is_alone: bool = False


def completed(lease_id: str, deadline: float, returned: bytes) -> FinishItem:
    """The handler returned; what, is JSON without its braces (`failures.kept`)."""
    item = b'{"lease_id":%b,"outcome":"complete",%b}' % (encode(lease_id), returned)
    return FinishItem(lease_id, deadline, True, item)


def failed(lease_id: str, deadline: float, failure: Failure) -> FinishItem:
    """The attempt failed. Of a long error the end is kept: it says what happened."""
    after_seconds = failure.after_seconds
    if after_seconds is not None:
        after_seconds = math.ceil(min(max(0.0, after_seconds), RETRY_LIMIT_SECONDS))
    item = {
        "lease_id": lease_id,
        "outcome": "fail",
        "error": _storable(failure.error),
        "retryable": failure.is_retryable,
        "retry_after_seconds": after_seconds,
    }
    return FinishItem(lease_id, deadline, False, encode(item))


def released(
    lease_id: str, deadline: float, *, delay_seconds: int = 0, reason: str | None = None
) -> FinishItem:
    """The worker gives the task back unharmed; it may be claimed again after the delay."""
    item = {
        "lease_id": lease_id,
        "outcome": "release",
        **({"delay_seconds": delay_seconds} if delay_seconds else {}),
        **({} if reason is None else {"reason": _storable(reason)}),
    }
    return FinishItem(lease_id, deadline, False, encode(item))


def _storable(text: str) -> str:
    """As the server takes it: Unicode without NUL, 65,535 bytes."""
    encoded = text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
    # A character that was cut in two is left out.
    return encoded[-ERROR_LIMIT_BYTES:].decode("utf-8", "ignore")
