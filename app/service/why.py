"""Why a task stands where it stands, asked for on demand and never from the cache."""

from functools import partial
from typing import Final

from app.domain.documents import dumps
from app.domain.standing import UNKNOWN, Standing
from app.domain.task import Lease
from app.domain.why import why
from app.queue.why import look
from app.redis.link import RedisAwayError
from app.service.resources import Resources

# For each read; whoever asks has perhaps a database that is slow already.
READ_SECONDS: Final = 0.2


class WhyService:
    """What is in a task's way."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def of(self, task_id: int) -> bytes:
        """The reasons as a JSON document. Raises `TaskNotFoundError`."""
        standing = await self._standing(task_id)
        return dumps(
            {
                "status": standing.task.status,
                "is_claimable": standing.is_claimable,
                "reasons": why(standing),
            }
        )

    async def _standing(self, task_id: int) -> Standing:
        standing = await self._resources.database.read_at_length(
            partial(look, task_id=task_id, seconds=READ_SECONDS)
        )
        task = standing.task
        if task.lease_token is None or task.lease_seconds is None:
            return standing
        lease = Lease(task.id, task.lease_token)
        try:
            heard = await self._resources.lease_book.heard_of([lease])
        except RedisAwayError:
            return standing._replace(lease_seconds_left=UNKNOWN)
        return standing._replace(lease_seconds_left=heard[lease].seconds_left)
