"""The look for work, on behalf of all workers that wait in a process."""

import time
from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Final

from app.mysql.connection import Connection
from app.mysql.database import Database
from app.queue.attempts import poll_checks
from app.queue.attempts.claim_marks import ClaimMarks, Look

QUEUES_AT_ONCE: Final = 500
# Looks from the beginning of each queue may take this share of the time, one in so many. Between
# them it is looked from where claims have found that the queues begin.
SHARE: Final = 20


class WorkLook:
    """Finds for which queues there is work, whoever has brought it."""

    def __init__(self, database: Database, marks: ClaimMarks) -> None:
        self._database = database
        self._marks = marks
        self._whole_look_at = 0.0

    async def __call__(self, wanted: Mapping[str, int]) -> Mapping[str, int]:
        """How many callers each queue could satisfy, of those who are waiting for it."""
        began = time.monotonic()
        is_whole = began >= self._whole_look_at
        found: dict[str, int] = {}
        queues = iter(wanted.items())
        while some := dict(islice(queues, QUEUES_AT_ONCE)):
            looks = {
                queue: Look.from_the_beginning() if is_whole else self._marks.look(queue)
                for queue in some
            }
            found |= await self._database.read(partial(self._look, wanted=some, looks=looks))
        if is_whole:
            now = time.monotonic()
            self._whole_look_at = now + SHARE * (now - began)
        for queue in found:
            # It may lie below what the claims that found nothing have seen.
            self._marks.forget(queue)
        return found

    async def _look(
        self, connection: Connection, *, wanted: Mapping[str, int], looks: Mapping[str, Look]
    ) -> dict[str, int]:
        # Before the look: what comes after it is not below.
        marks = await poll_checks.dry(connection)
        found = await poll_checks.claimable(connection, wanted, looks)
        for queue in wanted.keys() - found.keys():
            if looks[queue].is_from_the_beginning:
                self._marks.saw(queue, looks[queue], marks)
        return found
