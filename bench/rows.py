"""Many rows, fast: INSERT … SELECT over numbers. What they hold is what the service would."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

CHUNK: Final = 100_000

_DIGITS: Final = " UNION ALL ".join(["SELECT 0 AS d", *(f"SELECT {d}" for d in range(1, 10))])

# Some servers have no MD5().
TOKEN: Final = "LPAD(LOWER(HEX(n)), 32, '0')"

# Every task has these; `n` numbers the rows.
WAITING: Final = {
    "title": "CONCAT('resize image ', n)",
    "description": "'to half its width, for the catalogue'",
    "status": "'to_do'",
    "priority": "ELT(1 + n % 3, '高', '中', '低')",
    "queue": "'default'",
    "timeout_seconds": "60",
    "retry_limit": "3",
    "retry_delay_seconds": "5",
    "retry_backoff": "'exponential'",
    "current_retry_count": "0",
    "created_at": "UTC_TIMESTAMP(6) + INTERVAL n MICROSECOND",
    "updated_at": "UTC_TIMESTAMP(6)",
    "turn_at": "UTC_TIMESTAMP(6) + INTERVAL n MICROSECOND",
    "payload": """CONCAT('{"path":"/data/', n, '.png","width":640}')""",
    "claim_rank": "n % 3",
    "attempt": "0",
}
_RAN: Final = {
    **WAITING,
    "claim_rank": "NULL",
    "attempt": "1",
    "worker": "CONCAT('host-', n % 50)",
}
IN_PROGRESS: Final = {
    **_RAN,
    "status": "'in_progress'",
    "timeout_seconds": "86400",
    "started_at": "UTC_TIMESTAMP(6)",
    "lease_token": TOKEN,
    "claimed_from": "'to_do'",
    "deadline_at": "UTC_TIMESTAMP(6) + INTERVAL 1 DAY",
    "sweep_at": "UTC_TIMESTAMP(6) + INTERVAL 1 DAY",
}
DONE: Final = {
    **_RAN,
    "status": "'done'",
    "started_at": "UTC_TIMESTAMP(6)",
    "completed_at": "UTC_TIMESTAMP(6)",
    "finish_token": TOKEN,
    "result": """'{"path": "/data/out.png", "bytes": 48213}'""",
}


def numbers(count: int, first: int = 0) -> Iterator[str]:
    """SELECTs of `n` from `first` on, `count` of them, in chunks that make no huge transaction."""
    for base in range(0, count, CHUNK):
        size = min(CHUNK, count - base)
        yield (
            f"SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + {first + base} AS n "
            f"FROM ({_DIGITS}) a, ({_DIGITS}) b, ({_DIGITS}) c, ({_DIGITS}) e, ({_DIGITS}) f "
            f"ORDER BY n LIMIT {size}"
        )


def inserts(
    columns: Mapping[str, str], count: int, *, first: int = 0, table: str = "tasks"
) -> Iterator[str]:
    """Statements that insert `count` rows, each column by its expression over `n`."""
    for select in numbers(count, first):
        yield (
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"SELECT {', '.join(columns.values())} FROM ({select}) AS numbers"
        )


def keep_waiting(site: Any, least: int, queue: str = "default") -> None:
    """See to it that so many tasks can be claimed."""
    found = site.value(
        f"SELECT COUNT(*) FROM tasks WHERE queue = '{queue}' AND claim_rank IS NOT NULL"
    )
    if found < least:
        site.run(*inserts({**WAITING, "queue": f"'{queue}'"}, least - found))
