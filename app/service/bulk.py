"""Management's hand on all tasks that match a filter: to the end or page by page, each batch
committed before the next; and what it would do, counted before."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from time import monotonic
from typing import Final, NamedTuple

from app.domain.errors import MoreMatchError, SearchTooSlowError
from app.domain.states import Event, Status, targets
from app.queue import manage
from app.queue.lists import listing
from app.queue.lists.by_status import by_status
from app.queue.lists.filters import TaskFilter
from app.queue.lists.listing import Match
from app.queue.lists.pages import Page, Position
from app.service.resources import Resources

BATCH: Final = 500
# Attempts and keys go along, however many each task has.
DELETE_BATCH: Final = 100
# Beyond it a count goes on only where the counters know the rest.
COUNT_LIMIT: Final = 100_000
DELETED: Final = "deleted"


class Span(NamedTuple):
    """From where on a call acts, on how many tasks, and how many may match from there on."""

    after: Position | None = None
    limit: int | None = None
    expect_at_most: int | None = None


class Done(NamedTuple):
    """How many tasks matched, how many of them changed; and the last one, if more match."""

    matched: int
    changed: int
    last: Position | None


class Count(NamedTuple):
    """How many tasks match, by status; not exact where there are more, after the last one."""

    by_status: Mapping[str, int]
    is_exact: bool
    last: Position | None = None

    @property
    def matched(self) -> int:
        return sum(self.by_status.values())


class BulkService:
    """What management does to many."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def count(self, wanted: TaskFilter, span: Span) -> Count:
        """All that match, or as many as can be counted in time; of a span with a limit, so many.
        Raises `SearchTooSlowError` or `MoreMatchError`."""
        await self._expect(wanted, span)
        count = await self._count(wanted, span.after, span.limit or COUNT_LIMIT)
        if count.is_exact or span.limit is not None or span.after is not None:
            return count
        read = partial(by_status, wanted=wanted)
        counted = await self._resources.database.read_at_length(read)
        return count if counted is None else Count(counted, is_exact=True)

    async def act(self, wanted: TaskFilter, event: Event | None, span: Span) -> Done:
        """Do it to all that match, or to as many as the span has; None deletes them. What the state
        does not allow stays as it is. Raises `SearchTooSlowError`, and what is committed by then
        stays; or `MoreMatchError`, and nothing has changed."""
        await self._expect(wanted, span)
        bounds = [n for n in (span.limit, span.expect_at_most) if n is not None]
        # What comes to match after it was counted is not done either.
        left = min(bounds) if bounds else None
        matched = changed = 0
        last = span.after
        batch_size = DELETE_BATCH if event is None else BATCH
        while left is None or left > 0:
            size = batch_size if left is None else min(batch_size, left)
            found = await self._look(wanted, last, size + 1, self._search_seconds)
            batch = [match.position for match in found[:size]]
            changed += await self._act_on([p.id for p in batch], wanted, event)
            matched += len(batch)
            if len(found) <= size:
                return Done(matched, changed, None)
            last = batch[-1]
            left = None if left is None else left - size
        return Done(matched, changed, last if matched else None)

    async def _act_on(self, ids: list[int], wanted: TaskFilter, event: Event | None) -> int:
        database, after_commit = self._resources.database, self._resources.after_commit
        if not ids:
            return 0
        if event is None:
            delete = partial(manage.delete_tasks, ids=ids, wanted=wanted)
            deleted = await database.transact_alone(delete)
            await after_commit.removed(deleted)
            return len(deleted)
        done = await database.transact_alone(
            partial(manage.manage_tasks, event=event, ids=ids, is_strict=False, wanted=wanted)
        )
        await after_commit.moved(done.moves)
        return len(done.moves)

    async def _expect(self, wanted: TaskFilter, span: Span) -> None:
        most = span.expect_at_most
        if most is None:
            return
        count = await self._count(wanted, span.after, max(most + 1, COUNT_LIMIT))
        if count.matched > most:
            matched = count.matched
            matching = "1 task matches" if matched == 1 else f"{matched:,} tasks match"
            raise MoreMatchError(matched=matched, matching=matching, expect_at_most=most)
        if not count.is_exact:
            raise SearchTooSlowError(seconds=self._search_seconds)

    async def _count(self, wanted: TaskFilter, last: Position | None, limit: int) -> Count:
        """So many at most, and for as long as one search may take."""
        counts: Counter[str] = Counter()
        end = monotonic() + self._search_seconds
        left = limit
        while left > 0:
            size = min(2 * BATCH, left)
            try:
                found = await self._look(wanted, last, size + 1, end - monotonic())
            except SearchTooSlowError as error:
                if not counts:
                    raise SearchTooSlowError(seconds=self._search_seconds) from error
                break
            counts.update(match.status for match in found[:size])
            if len(found) <= size:
                return Count(counts, is_exact=True)
            last = found[size - 1].position
            left -= size
        return Count(counts, is_exact=False, last=last)

    async def _look(
        self, wanted: TaskFilter, last: Position | None, limit: int, seconds: float
    ) -> list[Match]:
        if seconds <= 0:
            raise SearchTooSlowError(seconds=self._search_seconds)
        page = Page(limit, is_ascending=True, after=last)
        return await self._resources.database.read_at_length(
            partial(listing.matching, wanted=wanted, page=page, timeout_seconds=seconds)
        )

    @property
    def _search_seconds(self) -> float:
        return self._resources.settings.search_timeout_seconds


def effect(event: Event | None, statuses: Iterable[str]) -> dict[str, list[str]]:
    """Where an action takes the tasks of each status; what stays is left out."""
    if event is None:
        return {status: [DELETED] for status in statuses}
    found = {status: sorted(targets(Status(status), event)) for status in statuses}
    return {status: [*to] for status, to in found.items() if to}
