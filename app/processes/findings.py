"""What `rowlock doctor` says of one thing."""

from typing import Literal, NamedTuple

Verdict = Literal["ok", "note", "bad"]


class Finding(NamedTuple):
    """One thing looked at."""

    verdict: Verdict
    what: str
    detail: str
