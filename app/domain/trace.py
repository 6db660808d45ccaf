"""The trace that a task belongs to (W3C Trace Context)."""

import re
from typing import Final

_TRACEPARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=(-.*)?$)"
)
_FIRST_VERSION: Final = "00"


def parent_of(traceparent: str | None) -> str | None:
    """What is kept of the header; None of one that is not valid: whoever gets that begins a trace
    of their own, the call is as good as any. A later version may say more than is kept."""
    found = _TRACEPARENT.match((traceparent or "").strip())
    if found is None or (found[1] == _FIRST_VERSION and found[2]):
        return None
    return found[0]
