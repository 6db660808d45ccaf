"""The worker's calls: claim, heartbeat, finish."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from pydantic import TypeAdapter

from rowlock.client.pages import Page, page, read_by
from rowlock.encoding import encode
from rowlock.http.answer import Answer
from rowlock.http.call import Call
from rowlock.models import Finished, HeartbeatItem, HeartbeatItems, Lease, Parent

_LEASES: Final = TypeAdapter(list[Lease])
_PARENTS: Final = TypeAdapter(list[Parent])

# Ending many attempts with large results takes the server a moment.
FINISH_SECONDS: Final = 10.0


class ClaimRequest(NamedTuple):
    """Who asks for work, from where, and how soon it promises to be heard of."""

    worker: str
    queues: tuple[str, ...]
    lease_seconds: int

    def body(self, limit: int, wait_seconds: float = 0) -> bytes:
        """A request for so many tasks."""
        return encode({**self._asdict(), "limit": limit, "wait_seconds": wait_seconds})


def claim(request: ClaimRequest, limit: int, wait_seconds: float) -> Call[list[Lease]]:
    """Take work, or wait for some."""
    return Call(
        "POST",
        "/leases",
        lambda answer: _LEASES.validate_json(answer.body),
        body=request.body(limit, wait_seconds),
        extra_seconds=wait_seconds,
    )


def finish(items: Iterable[bytes], claim: bytes | None) -> Call[Finished]:
    """End attempts and, with a claim's body, take the next work."""
    body = b'{"items":[' + b",".join(items) + b'],"claim":' + (claim or b"null") + b"}"
    return Call("POST", "/leases/finish", _finished, body=body, extra_seconds=FINISH_SECONDS)


def heartbeat(beats: Iterable[tuple[str, bytes]]) -> Call[list[HeartbeatItem]]:
    """The worker lives: each lease's id, and its progress as JSON."""
    items = (b'{"lease_id":"%s","progress":%s}' % (lease.encode(), said) for lease, said in beats)
    body = b'{"items":[' + b",".join(items) + b"]}"
    return Call("POST", "/leases/heartbeat", _heard, body=body)


def parents(lease_id: str) -> Call[Page[Parent]]:
    """The first of what the lease's task depends on, and what became of them."""
    return page(f"/leases/{lease_id}/parents", read_by(_PARENTS))


def _heard(answer: Answer) -> list[HeartbeatItem]:
    return HeartbeatItems.model_validate_json(answer.body).items


def _finished(answer: Answer) -> Finished:
    return Finished.model_validate_json(answer.body)
