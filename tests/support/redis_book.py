"""The book of leases, as it stands in Redis (`app.redis.lease_book`)."""

from typing import Any

import redis

from app.redis.lease_book import BOOK, mark_script

MARK = "0123456789abcdef"


def known_leases(connection: redis.Redis, prefix: str = "rowlock:") -> dict[str, int]:
    """The leases in the book, with the milliseconds each is still to be known."""
    now = now_ms(connection)
    return {name: score - now for name, score in _lines(connection, prefix) if score > now}


def kept_since_ms(connection: redis.Redis, prefix: str = "rowlock:") -> int:
    """Since when it has been kept."""
    (since,) = (-score for _, score in _lines(connection, prefix) if score < 0)
    return since


def remember_for(connection: redis.Redis, seconds: float, prefix: str = "rowlock:") -> None:
    """Redis is as it would be had the platform kept its book there for so long already."""
    book = f"{prefix}{BOOK}"
    connection.script_load(mark_script(MARK))
    connection.zremrangebyscore(book, "-inf", "(0")
    connection.zadd(book, {MARK: round(seconds * 1000) - now_ms(connection)})


def elapse_in_book(connection: redis.Redis, seconds: float, prefix: str) -> None:
    """Everything in it is so many seconds older."""
    book = f"{prefix}{BOOK}"
    for name, score in _lines(connection, prefix):
        # The mark's moment is a negative number.
        connection.zadd(book, {name: score - round(seconds * 1000) * (1 if score > 0 else -1)})


def now_ms(connection: redis.Redis) -> int:
    """Redis' time."""
    seconds, microseconds = map(int, connection.time())
    return seconds * 1000 + microseconds // 1000


def _lines(connection: redis.Redis, prefix: str) -> list[tuple[str, int]]:
    lines: Any = connection.zrange(f"{prefix}{BOOK}", 0, -1, withscores=True)
    return [(name.decode(), int(score)) for name, score in lines]
