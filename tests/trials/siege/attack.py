"""One way to do harm."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.trials.siege.peers import Count, Peer
from tests.trials.siege.prepared import Prepare


class Attack(NamedTuple):
    """So many callers at once, each a `Peer` with these options."""

    does: str
    callers: int
    peer: Mapping[str, Any]
    # What has to be there first; then `of_tasks` makes the opening, of their ids.
    prepare: Prepare | None = None
    of_tasks: Callable[[Sequence[int]], bytes] | None = None
    # What somebody else does in MySQL meanwhile, with the first of these tasks.
    stranger: Sequence[str] = ()
    # Then nobody can be served, and all are to be told so.
    locks_out: bool = False
    # At the port that speaks TLS.
    over_tls: bool = False

    def make(self, count: Count) -> Peer:
        return Peer(count, **self.peer)


def always(_: Count) -> bool:
    return True
