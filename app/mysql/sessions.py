"""What a session with MySQL relies on, set in every one before anybody reads or writes by it.

A server may be set to anything. Each variable here stands for statements that would do something
else, or wait for longer, if it had another value; `tests/support/hostile_server.py` has a server
on which all of them do.
"""

from typing import Any, Final, NamedTuple

SQL_MODE: Final = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
# Who waits for a row in vain is busy, MySQL is not away: well below our own time-out.
ROW_WAIT_SECONDS: Final = 1
TABLE_WAIT_SHARE: Final = 0.4
# A process that hangs with rows locked keeps them from everybody until MySQL ends its session.
# One that is only slow must not lose it in the midst of its work.
SILENCE_SHARE: Final = 3
# A session unused for so long may be dead without anybody having said so.
UNUSED_SHARE: Final = 1

_SET: Final = (
    "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci, autocommit = {autocommit:d}, "
    "completion_type = 'NO_CHAIN', time_zone = '+00:00', "
    f"sql_mode = '{SQL_MODE}', sql_safe_updates = 0, sql_auto_is_null = 0, sql_big_selects = 1, "
    "sql_buffer_result = 0, big_tables = 0, "
    "sql_select_limit = 18446744073709551615, sql_quote_show_create = 1, max_sort_length = 1024, "
    "sort_buffer_size = 262144, optimizer_switch = 'default', default_storage_engine = InnoDB, "
    f"foreign_key_checks = 1, unique_checks = 1, innodb_lock_wait_timeout = {ROW_WAIT_SECONDS}, "
    "lock_wait_timeout = {table_wait_seconds:d}, wait_timeout = {silence_seconds:d}, "
    "net_read_timeout = {silence_seconds:d}, net_write_timeout = {silence_seconds:d} "
    # Each server reads its own, and takes the other's for a comment.
    "/*!80000 , transaction_isolation = 'READ-COMMITTED', transaction_read_only = 0, "
    "max_execution_time = {statement_milliseconds:d}, range_optimizer_max_mem_size = 8388608 */ "
    "/*M!100600 , tx_isolation = 'READ-COMMITTED', tx_read_only = 0, check_constraint_checks = 1, "
    "max_statement_time = {statement_seconds:g}, in_predicate_conversion_threshold = 0 */"
)
_FACTS: Final = (
    "SELECT @@version, @@auto_increment_increment, @@max_allowed_packet, "
    "/*!80000 @@server_uuid */ /*M!100600 CONCAT_WS(':', @@hostname, @@port, @@server_id) */"
)


class Session(NamedTuple):
    """What a session is for."""

    is_autocommit: bool
    # MySQL breaks a statement off that takes longer; 0: none.
    statement_seconds: float
    table_wait_seconds: int
    # MySQL ends a session that says nothing for so long in the midst of its work.
    silence_seconds: int


def service_session(*, is_autocommit: bool, timeout_seconds: float) -> Session:
    """Of a process that serves callers, each of which is answered within that time."""
    return Session(
        is_autocommit,
        # What nobody waits for any longer ends there too.
        statement_seconds=timeout_seconds,
        table_wait_seconds=max(1, int(TABLE_WAIT_SHARE * timeout_seconds)),
        silence_seconds=max(2, int(SILENCE_SHARE * timeout_seconds)),
    )


# Migrations, and what `doctor` looks at: one after the other, however long each takes.
LONG_SESSION: Final = Session(
    is_autocommit=False, statement_seconds=0, table_wait_seconds=60, silence_seconds=3600
)


class Facts(NamedTuple):
    """What a session cannot change."""

    version: str
    # Between the ids of the rows that one statement inserts.
    id_step: int
    packet_bytes: int
    # Which server it is, whatever it is called in the URL.
    server: str


def prepare(connection: Any, session: Session) -> Facts:
    """Set a connection of either driver as it has to be; what else there is to know of it."""
    cursor = connection.cursor()
    cursor.execute(
        _SET.format(
            autocommit=session.is_autocommit,
            table_wait_seconds=session.table_wait_seconds,
            silence_seconds=session.silence_seconds,
            statement_seconds=session.statement_seconds,
            statement_milliseconds=int(session.statement_seconds * 1000),
        )
    )
    cursor.execute(_FACTS)
    facts = Facts(*cursor.fetchone())
    if "mariadb" in facts.version.lower():
        _forget_snapshots(cursor)
    cursor.close()
    return facts


def _forget_snapshots(cursor: Any) -> None:
    """MariaDB 11.6.2 and later refuse to lock a row that was changed since the statement began
    (error 1020), which is what SKIP LOCKED is about. Earlier ones have no such variable, or have
    it off."""
    cursor.execute("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'")
    found = cursor.fetchone()
    if found is not None and found[1] != "OFF":
        cursor.execute("SET innodb_snapshot_isolation = OFF")
