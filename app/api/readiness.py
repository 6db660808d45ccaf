"""How each part is that calls need: MySQL, the schema, Redis."""

from app import migrations
from app.errors import DatabaseAwayError
from app.redis import RedisLink
from app.service.platform import Platform

Parts = dict[str, str]


async def parts_of(platform: Platform) -> Parts:
    """What `/readyz` shows."""
    parts = {"mysql": "ok", "schema": "ok"}
    try:
        found = await platform.database.read(migrations.revision_of)
        if not migrations.is_fit(found):
            has = "none yet" if found is None else f"{found}, not {migrations.head()}"
            parts["schema"] = f"{has}: run `rowlock migrate`"
    except DatabaseAwayError as error:
        parts["mysql"] = str(error)
        parts["schema"] = "unknown"
    parts["redis"] = await _redis(platform.redis)
    return parts


def is_ready(parts: Parts) -> bool:
    """Redis away or absent is ready: it costs speed, nothing else."""
    return parts["mysql"] == parts["schema"] == "ok"


async def _redis(redis: RedisLink) -> str:
    state = await redis.look()
    if state != "away":
        return state
    return "degraded" if redis.trouble is None else f"degraded: {redis.trouble}"
