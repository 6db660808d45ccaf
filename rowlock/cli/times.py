"""Times on the command line: RFC 3339, or how far from now."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_RELATIVE: Final = re.compile(r"([+-]?)([0-9]{1,6})(s|min|m|h|d|w)")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def time_of(text: str, *, is_past: bool) -> str:
    """`90s`, `15m`, `1h`, `2d` and `1w` as RFC 3339: ago where `is_past`, else from now; `-1h` is
    always ago and `+1h` from now. Other text as it is: the server says what is wrong with it."""
    found = _RELATIVE.fullmatch(text.strip())
    if found is None:
        return text
    sign, count, unit = found.groups()
    span = timedelta(seconds=int(count) * _SECONDS[unit])
    is_before = is_past if not sign else sign == "-"
    now = datetime.now(UTC)
    try:
        return (now - span if is_before else now + span).isoformat()
    except OverflowError:
        return text
