"""What `rowlock doctor` looks at in a Redis."""

import asyncio
import time
from typing import Final

from redis import exceptions

from app.domain.findings import Finding
from app.mysql.database import Database
from app.queue import deployment
from app.redis.fitness import connect, trouble_of
from app.redis.session import Session
from app.settings import Settings

WAIT_SECONDS: Final = 5.0
TRIES: Final = 20


def examine(settings: Settings) -> list[Finding]:
    """Everything there is to say about this Redis. Raises nothing that it causes."""
    return asyncio.run(_examine(settings))


async def _examine(settings: Settings) -> list[Finding]:
    if settings.redis_url is None:
        said = "not set: nothing is cached, and lost workers are detected at their task's timeout"
        return [Finding("note", "Redis", said)]
    try:
        prefix = await _prefix(settings)
    except Exception as error:
        said = f"not used: the name of this deployment cannot be read from MySQL: {error}"
        return [Finding("bad", "Redis", said)]
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            return await _look(settings.redis_url, prefix, settings.redis_timeout_seconds)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        return [Finding("bad", "Redis", f"not used: {trouble_of(error, prefix=prefix) or said}")]


async def _prefix(settings: Settings) -> str:
    if settings.redis_prefix is not None:
        return settings.redis_prefix
    database = Database(settings)
    try:
        return f"rowlock:{await database.read(deployment.name)}:"
    finally:
        await database.close()


async def _look(url: str, prefix: str, timeout_seconds: float) -> list[Finding]:
    session, server = await connect(url, prefix)
    try:
        return [
            await _speed(session, f"{server.server} {server.version}", timeout_seconds),
            Finding("ok", "Redis user", "may run all commands needed"),
            Finding("ok", "Redis keys", f"begin with {prefix}"),
            await _eviction(session),
        ]
    finally:
        await session.close()


async def _speed(session: Session, server: str, timeout_seconds: float) -> Finding:
    took: list[float] = []
    for _ in range(TRIES):
        began = time.monotonic()
        await session.send([("PING",)])
        took.append(time.monotonic() - began)
    median = sorted(took)[TRIES // 2]
    said = f"{server}, answers in {median * 1000:.1f} ms"
    if median < timeout_seconds / 2:
        return Finding("ok", "Redis", said)
    limit = f"ROWLOCK_REDIS_TIMEOUT_SECONDS, {timeout_seconds * 1000:g} ms"
    return Finding("note", "Redis", f"{said}; too slow: above {limit}, it is not used")


async def _eviction(session: Session) -> Finding:
    what = "Redis eviction"
    try:
        (memory,) = await session.send([("INFO", "memory")])
    except exceptions.ResponseError:
        said = "unknown, its user may not run INFO; maxmemory-policy should be noeviction"
        return Finding("note", what, said)
    lines = (line.partition(":") for line in memory.decode().splitlines())
    policy = {name: value for name, _, value in lines}.get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        return Finding("ok", what, policy)
    said = f"maxmemory-policy is {policy}; set it to noeviction to keep every heartbeat"
    return Finding("note", what, said, "CONFIG SET maxmemory-policy noeviction")
