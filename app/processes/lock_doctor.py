"""What `rowlock doctor` says of locks: who waits for whom, and the transaction that keeps MySQL
from purging. No statement's text is shown: there may be secrets of others in it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, exc

from app.domain.findings import Finding
from app.mysql.error_codes import error_code

# Rowlock's own last for milliseconds.
OLD_SECONDS: Final = 60
WAITS_SHOWN: Final = 10
# For a table, and for all that a server does.
DENIED: Final = frozenset({1044, 1142, 1143, 1227})

# These tables tell the time of the machine.
_NOW: Final = "CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')"
_SECONDS: Final = "GREATEST(TIMESTAMPDIFF(SECOND, {since}, " + _NOW + "), 0)"
_WAITS: Final = (
    f"SELECT waiting.trx_mysql_thread_id, {_SECONDS.format(since='waiting.trx_wait_started')}, "
    "{table}, holding.trx_mysql_thread_id, processlist.user, processlist.host, "
    f"{_SECONDS.format(since='holding.trx_started')} FROM {{waits}} "
    "JOIN information_schema.innodb_trx AS waiting ON waiting.trx_id = {requesting} "
    "JOIN information_schema.innodb_trx AS holding ON holding.trx_id = {blocking} "
    "LEFT JOIN information_schema.processlist ON processlist.id = holding.trx_mysql_thread_id "
    f"ORDER BY waiting.trx_wait_started LIMIT {WAITS_SHOWN}"
)
_MYSQL_WAITS: Final = _WAITS.format(
    table="CONCAT(wanted.object_schema, '.', wanted.object_name)",
    waits="performance_schema.data_lock_waits AS waits "
    "JOIN performance_schema.data_locks AS wanted "
    "ON wanted.engine_lock_id = waits.requesting_engine_lock_id",
    requesting="waits.requesting_engine_transaction_id",
    blocking="waits.blocking_engine_transaction_id",
)
_MARIADB_WAITS: Final = _WAITS.format(
    table="REPLACE(wanted.lock_table, '`', '')",
    waits="information_schema.innodb_lock_waits AS waits "
    "JOIN information_schema.innodb_locks AS wanted ON wanted.lock_id = waits.requested_lock_id",
    requesting="waits.requesting_trx_id",
    blocking="waits.blocking_trx_id",
)
_OLDEST: Final = (
    f"SELECT trx_mysql_thread_id, user, host, {_SECONDS.format(since='trx_started')} "
    "FROM information_schema.innodb_trx LEFT JOIN information_schema.processlist "
    "ON processlist.id = trx_mysql_thread_id WHERE trx_mysql_thread_id <> CONNECTION_ID() "
    "ORDER BY trx_started LIMIT 1"
)
PROCESS: Final = "PROCESS ON *.*"
_OF_MYSQL: Final = (PROCESS, "SELECT ON performance_schema.*")
_OF_MARIADB: Final = (PROCESS,)


def examine(connection: Connection) -> Iterator[Finding]:
    """The locks of the whole server, as far as its user may see them."""
    is_mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
    waits = _MARIADB_WAITS if is_mariadb else _MYSQL_WAITS
    privileges = _OF_MARIADB if is_mariadb else _OF_MYSQL
    for what, statement, shown, needed in (
        ("lock waits", waits, _waits, privileges),
        ("oldest transaction", _OLDEST, _oldest, (PROCESS,)),
    ):
        try:
            rows = connection.exec_driver_sql(statement).all()
        except exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            yield _unreadable(connection, what, error, needed)
        else:
            yield from shown(what, rows)


def _waits(what: str, rows: Sequence[Any]) -> Iterator[Finding]:
    if not rows:
        yield Finding("ok", what, "none")
    for waiting, seconds, table, holder, user, host, held_seconds in rows:
        detail = (
            f"connection {waiting} has waited for {seconds} s for a row of {table}, which "
            f"connection {holder}{_whose(user, host)} has locked, in a transaction of "
            f"{held_seconds} s"
        )
        yield Finding("note", what, detail, f"KILL {holder};")


def _oldest(what: str, rows: Sequence[Any]) -> Iterator[Finding]:
    if not rows:
        yield Finding("ok", what, "none is open")
    for holder, user, host, seconds in rows:
        detail = f"{seconds} s, of connection {holder}{_whose(user, host)}"
        if seconds < OLD_SECONDS:
            yield Finding("ok", what, detail)
        else:
            detail += "; while it is open, MySQL keeps what was deleted since, and claims slow down"
            yield Finding("note", what, detail, f"KILL {holder};")


def _whose(user: str | None, host: str | None) -> str:
    return "" if user is None else f" ({user}@{host})"


def _unreadable(
    connection: Connection, what: str, error: exc.DBAPIError, needed: Sequence[str]
) -> Finding:
    assert error.orig is not None
    if error_code(error.orig) not in DENIED:
        return Finding("note", what, f"cannot be read: {error.orig}")
    account = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one())
    user, _, host = (part.replace("'", "''") for part in account.rpartition("@"))
    grants = " ".join(f"GRANT {privilege} TO '{user}'@'{host}';" for privilege in needed)
    return Finding("note", what, f"the user {account} may not see them", grants)
