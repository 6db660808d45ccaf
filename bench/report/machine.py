"""What it ran on: the machine, the versions, the settings."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import redis

import rowlock
from bench.stack import Stack, connect

PACKAGES: Final = (
    *("fastapi", "pydantic", "uvicorn", "uvloop", "httptools", "orjson"),
    *("sqlalchemy", "aiomysql", "pymysql", "redis"),
)
VARIABLES: Final = (
    "innodb_flush_log_at_trx_commit",
    "sync_binlog",
    "log_bin",
    "transaction_isolation",
    "innodb_buffer_pool_size",
    "innodb_redo_log_capacity",
    "innodb_log_file_size",
)


def describe(stack: Stack) -> dict[str, Any]:
    """By section, each a list of names and values."""
    return {
        "Machine": {
            "CPU": f"{os.cpu_count()} × {_cpu()}",
            "memory": f"{_memory_gib():.0f} GiB",
            "kernel": f"{platform.system()} {platform.release()}",
        },
        "Versions": {
            "Rowlock": rowlock.__version__,
            "MySQL": _mysql(stack),
            "Valkey": _valkey(stack),
            "Python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "Settings of MySQL": _variables(stack),
    }


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _mysql(stack: Stack) -> str:
    ((said, comment),) = _ask(stack, "SELECT VERSION(), @@version_comment")
    return f"{said} ({comment})"


def _variables(stack: Stack) -> dict[str, str]:
    names = ", ".join(f"'{name}'" for name in VARIABLES)
    return dict(_ask(stack, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})"))


def _valkey(stack: Stack) -> str:
    with redis.Redis.from_url(stack.valkey.url) as connection:
        server: Any = connection.info("server")
    return str(server.get("valkey_version") or server["redis_version"])


def _ask(stack: Stack, statement: str) -> Any:
    connection = connect(stack.mysql.url)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
    connection.close()
    return rows
