"""MySQL's numbers for what went wrong, and what they mean to us."""

from typing import Final

from app.domain.errors import DatabaseAwayError, RowBusyError

LOCK_WAIT_TIMEOUT, DEADLOCK = 1205, 1213
# MariaDB's word for a row that somebody has changed since the statement began.
ROW_CHANGED: Final = 1020
# How often a transaction is begun that ends so. A lock wait is long already.
TRIES: Final = {LOCK_WAIT_TIMEOUT: 2, DEADLOCK: 5, ROW_CHANGED: 5}
# The server is full, going down, read-only, or told not to go on.
_SERVER_AWAY = {1037, 1038, 1040, 1041, 1047, 1053, 1077, 1135, 1158, 1159, 1160, 1161}
_SERVER_AWAY |= {1203, 1226, 1290, 1317, 1665, 1792, 1836, 3032}
# It took longer than a session of ours may.
_SERVER_AWAY |= {1969, 3024}
# It does not let us in, or does not let us do it any more.
_SERVER_AWAY |= {1044, 1045, 1049, 1129, 1130, 1142, 1143, 1227, 1370, 1698}
_SERVER_AWAY |= {1820, 1862, 3118, 3159, 4151}
# What is there is not what this version made: dropped, or restored from long ago.
_SERVER_AWAY |= {1054, 1146}
# A group of servers that is just choosing the one that takes writes.
_SERVER_AWAY |= {3098, 3100, 3101}
# Its disk is full: a table, a temporary file, the binary log, or what the engine could not write.
_DISK_FULL: Final = frozenset({3, 1021, 1026, 1030, 1114, 1180, 1598})
# Nobody answers, or not as asked.
_REFUSED: Final = frozenset({1053, 1077, 2002, 2003, 2012, 2026})
# The connection was dropped or killed at some time since it was last used.
DROPPED: Final = frozenset({0, 1927, 2006, 2013, 2014, 2055, 3169, 4031})
LOST: Final = _REFUSED | DROPPED
# It may have been the one of several that takes writes, and is not any more.
READ_ONLY: Final = frozenset({1290, 1836})
AWAY: Final = frozenset(_SERVER_AWAY) | _DISK_FULL | LOST


def error_code(error: BaseException) -> int | None:
    """The number, if it has one."""
    is_numbered = bool(error.args) and isinstance(error.args[0], int)
    return error.args[0] if is_numbered else None


def translated(error: Exception) -> Exception:
    """What our callers are told."""
    code = error_code(error)
    if code in TRIES:
        return RowBusyError()
    if code in AWAY:
        return DatabaseAwayError(reason=str(error.args[-1]))
    return error
