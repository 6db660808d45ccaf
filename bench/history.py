"""A platform that has been in use for long: millions of tasks of realistic skew, made by SQL.

95 in 100 are done; a few failed, were cancelled or paused, run or wait for their time. 1,000
tags by a power law, one or two on each task; the commonest is on a fifth of all, but on one in
a hundred of those that failed.
"""

import asyncio
import re
from contextlib import suppress
from typing import Any, Final

import pymysql

from app.service.sweeping import recount
from bench.rows import DONE, TOKEN, numbers
from bench.session import Session
from bench.stack import Site

TAGS: Final = 1000
YEAR_SECONDS: Final = 365 * 86_400
_INDEX: Final = re.compile(r"^\s+(KEY `(\w+)` .+?),?$", re.MULTILINE)


def _drawn(salt: str) -> str:
    """A number in [0, 1) that looks random, the same each time for the same `n`; those of
    different salts say nothing of each other, as `CRC32(CONCAT(salt, n))` would."""
    return f"(CRC32(n * {1_000_003 + 2 * 7919 * ord(salt)} % 4294967291) / 4294967296)"


def _rank(salt: str) -> str:
    """A tag's number, by a power law: the second is half as frequent as the first, …"""
    return f"FLOOR(EXP({_drawn(salt)} * LN({TAGS + 1})))"


def _rarely_first(rank: str) -> str:
    return f"IF(status = 'failed' AND {rank} = 1 AND n % 20, 2 + n % {TAGS - 1}, {rank})"


# Each task's number, status, and two tags, from a SELECT of numbers.
_DRAWN: Final = f"""
SELECT n, status, {_rarely_first("one")} AS one, {_rarely_first("two")} AS two FROM (
    SELECT n, {_rank("a")} AS one, {_rank("b")} AS two, CASE
        WHEN {_drawn("s")} < 0.950 THEN 'done'
        WHEN {_drawn("s")} < 0.980 THEN 'cancelled'
        WHEN {_drawn("s")} < 0.985 THEN 'failed'
        WHEN {_drawn("s")} < 0.990 THEN 'to_do'
        WHEN {_drawn("s")} < 0.994 THEN 'retrying'
        WHEN {_drawn("s")} < 0.999 THEN 'paused'
        ELSE 'in_progress' END AS status
    FROM (NUMBERS) AS numbers
) AS ranked
"""


def _name(rank: str) -> str:
    return f"CONCAT('tag-', LPAD({rank}, 4, '0'))"


def _columns(total: int) -> dict[str, str]:
    spread = YEAR_SECONDS * 1_000_000 // max(total, 1)
    created = f"(@filled_at - INTERVAL (({total} - n) * {spread}) MICROSECOND)"
    is_done, is_running = "status = 'done'", "status = 'in_progress'"
    low, high = "LEAST(one, two)", "GREATEST(one, two)"
    return {
        **DONE,
        "id": "n",
        "status": "status",
        "priority": f"ELT(1 + ({_drawn('p')} > 0.1) + ({_drawn('p')} > 0.9), '高', '中', '低')",
        "queue": "CASE WHEN {0} < 0.7 THEN 'default' WHEN {0} < 0.9 THEN 'mail' "
        "WHEN {0} < 0.999 THEN 'reports' ELSE 'seldom' END".format(_drawn("q")),
        "tag_names": f"IF(one = two, CONCAT('[\"', {_name('one')}, '\"]'), "
        f"CONCAT('[\"', {_name(low)}, '\",\"', {_name(high)}, '\"]'))",
        "due_date": f"IF({_drawn('d')} < 0.3, {created} + INTERVAL 3 DAY, NULL)",
        "created_at": created,
        "updated_at": created,
        "started_at": created,
        "completed_at": f"IF({is_done}, {created} + INTERVAL 1 MINUTE, NULL)",
        "finish_token": f"IF({is_done}, {TOKEN}, NULL)",
        "result": f"IF({is_done}, {DONE['result']}, NULL)",
        "error": "IF(status IN ('failed', 'retrying'), 'ValueError: no such image', NULL)",
        # Not due for a year: nothing of this is claimed, promoted or timed out meanwhile.
        "sweep_at": f"IF(status IN ('to_do', 'retrying') OR {is_running}, "
        "UTC_TIMESTAMP(6) + INTERVAL 1 YEAR, NULL)",
        "available_at": "IF(status IN ('to_do', 'retrying'), "
        "UTC_TIMESTAMP(6) + INTERVAL 1 YEAR, NULL)",
        "timeout_seconds": "86400",
        "lease_token": f"IF({is_running}, {TOKEN}, NULL)",
        "claimed_from": f"IF({is_running}, 'to_do', NULL)",
        "deadline_at": f"IF({is_running}, UTC_TIMESTAMP(6) + INTERVAL 1 YEAR, NULL)",
    }


def make(session: Session) -> Site:
    """The platform with `options.rows` tasks, made once a run."""
    if session.history is None:
        session.history = session.keep("history")
        fill(session.history, session.options.rows)
    return session.history


def fill(site: Site, total: int) -> None:
    """So many tasks, into an empty table. Its indexes are made after them, which is faster."""
    connection = site.connect()
    with connection.cursor() as cursor:
        # Of a task and of its tags the same.
        cursor.execute("SET @filled_at = UTC_TIMESTAMP(6)")
        for setting in ("sql_log_bin = 0", "foreign_key_checks = 0"):
            cursor.execute(f"SET SESSION {setting}")
        with suppress(pymysql.MySQLError):  # MariaDB has none
            cursor.execute("SET SESSION innodb_ddl_buffer_size = 512 * 1024 * 1024")
        indexes = _indexes(cursor)
        cursor.execute(f"ALTER TABLE tasks {', '.join(f'DROP KEY {name}' for name in indexes)}")
        cursor.execute(
            "INSERT INTO tags (id, name) "
            f"SELECT n, {_name('n')} FROM ({next(numbers(TAGS, first=1))}) AS numbers"
        )
        columns = _columns(total)
        for select in numbers(total, first=1):
            drawn = _DRAWN.replace("NUMBERS", select)
            cursor.execute(
                f"INSERT INTO tasks ({', '.join(columns)}) "
                f"SELECT {', '.join(columns.values())} FROM ({drawn}) AS drawn"
            )
            created_at = columns["created_at"]
            cursor.execute(
                "INSERT INTO task_tags (task_id, tag_id, task_created_at) "
                f"SELECT n, one, {created_at} FROM ({drawn}) AS ones "
                f"UNION SELECT n, two, {created_at} FROM ({drawn}) AS twos ORDER BY 1, 2"
            )
        cursor.execute(f"ALTER TABLE tasks {', '.join(f'ADD {i}' for i in indexes.values())}")
        cursor.execute("ANALYZE TABLE tasks, task_tags, tags")
    asyncio.run(recount(site.settings))
    connection.close()


def _indexes(cursor: Any) -> dict[str, str]:
    """The secondary indexes by name, each as its table's own text has it."""
    cursor.execute("SHOW CREATE TABLE tasks")
    ((_, text),) = cursor.fetchall()
    return {name: whole for whole, name in _INDEX.findall(text)}
