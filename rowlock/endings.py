"""How an attempt ended, as it is told to the server."""

import math
import traceback
from types import TracebackType
from typing import Any, Final, NamedTuple

from rowlock.attempt import Permanent, Retry
from rowlock.encoding import encode, encode_bounded

ERROR_LIMIT_BYTES: Final = 65_535
TRACEBACK_LINES: Final = 30
RETRY_LIMIT_SECONDS: Final = 86_400


class Ending(NamedTuple):
    """An item of `POST /leases/finish`, worth telling until `deadline` on the loop's clock.

    One that the server refused among others is told alone.
    """

    lease_id: str
    deadline: float
    is_complete: bool
    item: bytes
    is_alone: bool = False


def completed(lease_id: str, deadline: float, result: Any) -> Ending:
    """The handler returned. What cannot be kept as a result fails the task for good: done
    again it would be the same."""
    try:
        encoded = encode_bounded(result, "the result")
    except ValueError as error:
        return failed(lease_id, deadline, f"The result cannot be kept: {error}", retryable=False)
    item = b'{"lease_id":%b,"outcome":"complete","result":%b}' % (encode(lease_id), encoded)
    return Ending(lease_id, deadline, True, item)


def raised(lease_id: str, deadline: float, error: BaseException) -> Ending:
    """The handler raised."""
    if isinstance(error, Permanent):
        return failed(lease_id, deadline, str(error), retryable=False)
    if isinstance(error, Retry):
        return failed(lease_id, deadline, str(error), after_seconds=error.after_seconds)
    return failed(lease_id, deadline, _last_lines(error))


def failed(
    lease_id: str,
    deadline: float,
    error: str,
    *,
    retryable: bool = True,
    after_seconds: float | None = None,
) -> Ending:
    """The attempt failed. Of a long error the end is kept: it says what happened."""
    if after_seconds is not None:
        after_seconds = math.ceil(min(max(0.0, after_seconds), RETRY_LIMIT_SECONDS))
    item = {
        "lease_id": lease_id,
        "outcome": "fail",
        "error": _storable(error),
        "retryable": retryable,
        "retry_after_seconds": after_seconds,
    }
    return Ending(lease_id, deadline, False, encode(item))


def released(lease_id: str, deadline: float) -> Ending:
    """The worker gives the task back unharmed."""
    item = {"lease_id": lease_id, "outcome": "release"}
    return Ending(lease_id, deadline, False, encode(item))


def _last_lines(error: BaseException) -> str:
    frames = error.__traceback__
    while frames is not None and _is_ours(frames):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    return "\n".join(text.splitlines()[-TRACEBACK_LINES:])


def _is_ours(frames: TracebackType) -> bool:
    return str(frames.tb_frame.f_globals.get("__name__")).startswith("rowlock.")


def _storable(text: str) -> str:
    """As the server takes it: Unicode without NUL, 65,535 bytes."""
    encoded = text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
    # A character that was cut in two is left out.
    return encoded[-ERROR_LIMIT_BYTES:].decode("utf-8", "ignore")
