"""A MySQL whose settings are all set against us, at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pymysql
from sqlalchemy import make_url

from app.local.binary import ServerBinary
from app.local.mysql import MySQLServer

AGAINST: Final = {
    "autocommit": "0",
    "auto_increment_increment": "7",
    "big_tables": "1",
    "check_constraint_checks": "0",
    "collation_connection": "'latin1_swedish_ci'",
    "completion_type": "'CHAIN'",
    "default_storage_engine": "'MyISAM'",
    "div_precision_increment": "0",
    "foreign_key_checks": "0",
    "in_predicate_conversion_threshold": "2",
    "innodb_lock_wait_timeout": "50",
    "innodb_snapshot_isolation": "1",
    "lock_wait_timeout": "31536000",
    "low_priority_updates": "1",
    "max_execution_time": "1",
    "max_join_size": "1",
    "max_sort_length": "8",
    "max_statement_time": "0.0001",
    "net_read_timeout": "1",
    "net_write_timeout": "1",
    "range_optimizer_max_mem_size": "1",
    "sort_buffer_size": "32768",
    "sql_auto_is_null": "1",
    "sql_big_selects": "0",
    "sql_buffer_result": "1",
    "sql_mode": "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,REAL_AS_FLOAT,IGNORE_SPACE'",
    "sql_quote_show_create": "0",
    "sql_require_primary_key": "1",
    "sql_safe_updates": "1",
    "sql_select_limit": "1",
    "time_zone": "'+05:00'",
    "transaction_isolation": "'SERIALIZABLE'",
    "transaction_read_only": "1",
    "tx_isolation": "'SERIALIZABLE'",
    "tx_read_only": "1",
    "unique_checks": "0",
    "wait_timeout": "1",
}
# For whoever may not do everything, before the first statement of ours.
INIT_CONNECT: Final = "SET sql_mode = 'ANSI_QUOTES', sql_select_limit = 1, autocommit = 0"


@contextmanager
def hostile_server(home: Path, binary: ServerBinary) -> Iterator[str]:
    """Its URL, for an account that may do what a service needs."""
    with MySQLServer(home, fast=True, binary=binary) as server:
        url = make_url(server.url)
        connection = pymysql.connect(
            host=url.host or "",
            port=url.port or 0,
            user=url.username,
            password=url.password or "",
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL VARIABLES")
            known = {row[0] for row in cursor.fetchall()}
            cursor.execute("CREATE USER service@'127.0.0.1' IDENTIFIED BY 'x'")
            cursor.execute(f"GRANT ALL ON {url.database}.* TO service@'127.0.0.1'")
            cursor.execute("SET GLOBAL init_connect = %s", (INIT_CONNECT,))
            # One statement, as each of them changes what the next one does.
            settings = (f"GLOBAL {n} = {v}" for n, v in AGAINST.items() if n in known)
            cursor.execute(f"SET {', '.join(settings)}")
        yield url.set(username="service", password="x").render_as_string(hide_password=False)
