"""What `rowlock doctor` says of one thing."""

from typing import Literal, NamedTuple

Verdict = Literal["ok", "note", "bad"]


class Finding(NamedTuple):
    """One thing looked at; `fix` is what to run as it stands: a command, or SQL."""

    verdict: Verdict
    what: str
    detail: str
    fix: str | None = None
