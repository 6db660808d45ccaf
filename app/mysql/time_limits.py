"""Reads that MySQL breaks off by itself when they take too long."""

from typing import Final

from app.mysql.error_codes import error_code

_TIMED_OUT: Final = frozenset({3024, 1969})


def timed(select: str, seconds: float, *, is_mariadb: bool) -> str:
    """The SELECT, with so many seconds to be answered in: waiting for a table included."""
    milliseconds = max(1, int(seconds * 1000))  # 0 would be no limit
    if is_mariadb:
        return f"SET STATEMENT max_statement_time = {milliseconds / 1000:g} FOR {select}"
    return select.replace("SELECT", f"SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */", 1)


def is_out_of_time(error: BaseException) -> bool:
    """Whether a read was broken off for that."""
    return error_code(error) in _TIMED_OUT
