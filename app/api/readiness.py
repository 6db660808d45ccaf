"""How each part is that calls need: MySQL, the schema, Redis; and whether a scheduler runs."""

from app.domain.errors import DatabaseAwayError
from app.mysql import revisions
from app.queue.figures import stats
from app.redis.link import RedisLink
from app.runtime.metrics import scheduler_state
from app.service.resources import Resources

Parts = dict[str, str]


async def parts_of(resources: Resources) -> Parts:
    """What `/readyz` shows."""
    parts = {"mysql": "ok", "schema": "ok"}
    scheduler = "unknown"
    try:
        found = await resources.database.read(revisions.revision_of)
        if revisions.is_fit(found):
            scheduler = scheduler_state(await resources.database.read(stats.sweeps))
        else:
            has = "no schema" if found is None else f"{found}, not {revisions.head()}"
            parts["schema"] = f"{has}: run `rowlock migrate`"
    except DatabaseAwayError as error:
        parts["mysql"] = str(error)
        parts["schema"] = "unknown"
    parts["redis"] = await redis_state(resources.redis)
    parts["scheduler"] = scheduler
    return parts


def is_ready(parts: Parts) -> bool:
    """Redis away or absent is ready: it costs speed, nothing else. So is a platform without a
    scheduler: what comes is stored and handed out, and no other API process would do better."""
    return parts["mysql"] == parts["schema"] == "ok"


async def redis_state(redis: RedisLink) -> str:
    """Absent, ok, or degraded and why."""
    state = await redis.look()
    if state != "away":
        return state
    return "degraded" if redis.trouble is None else f"degraded: {redis.trouble}"
