"""Pages of what there is: tasks that match, attempts, tags. Bounded in bytes as well."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from app.domain.documents import (
    Array,
    attempt_document,
    dumps,
    listed_summary,
    task_document,
    task_summary,
)
from app.domain.errors import TaskNotFoundError
from app.domain.task import EndedAttempt, RunningAttempt, Summary, Task
from app.mysql.connection import Connection
from app.mysql.database import Database
from app.queue.figures import stats
from app.queue.lists import listing, reading
from app.queue.lists.costs import cost_of
from app.queue.lists.counting import count_tasks
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import Page, Position
from app.service.resources import Resources

# A page ends early when it has grown to so much. Few are larger than the other, and those are
# read one by one.
PAGE_BYTES: Final = 8 * 1024 * 1024
SMALL_PAGE_BYTES: Final = 1024 * 1024

T = TypeVar("T")


class PageService:
    """What clients ask of many."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def page(
        self, wanted: TaskFilter, page: Page, *, is_summary: bool = False
    ) -> tuple[bytes | bytearray, Position | None]:
        """One page as a JSON array, and after which task the next one begins, if any.

        Raises `SearchTooSlowError`.
        """
        query = _named("summary" if is_summary else "page", wanted, page)
        found, slot = await self._resources.cache.result_of(query)
        if found is not None:
            last, _, documents = found.partition(b";")
            return documents, _position(last)
        last, page_text = await self._page(wanted, page, is_summary=is_summary)
        if slot is not None:
            await self._resources.cache.fill_result(slot, query, last, b";", page_text)
        return page_text, _position(last)

    async def count(self, wanted: TaskFilter, limit: int) -> bytes:
        """How many tasks match, as a JSON document."""
        query = _named("count", wanted, limit)
        found, slot = await self._resources.cache.result_of(query)
        if found is not None:
            return found
        count = await self._resources.database.read_at_length(
            partial(
                count_tasks,
                wanted=wanted,
                limit=limit,
                timeout_seconds=self._resources.settings.search_timeout_seconds,
            )
        )
        document = dumps({"count": count.tasks, "is_exact": count.is_exact})
        if slot is not None:
            await self._resources.cache.fill_result(slot, query, document)
        return document

    async def cost(self, wanted: TaskFilter, page: Page) -> bytes:
        """What that page would have MySQL read, as a JSON document. Raises `SearchTooSlowError`."""
        seconds = self._resources.settings.search_timeout_seconds
        cost = await self._resources.database.read_at_length(
            partial(cost_of, wanted=wanted, page=page, timeout_seconds=seconds)
        )
        said = cost._asdict()
        return dumps({"index": said.pop("along"), **said, "timeout_seconds": seconds})

    async def attempts(
        self, task_id: int, *, after: int, limit: int
    ) -> tuple[bytearray, int | None]:
        """Attempts as a JSON array, and after which one the next page begins, if any.
        Raises `TaskNotFoundError`."""

        async def read(
            connection: Connection, found: Array, limit_bytes: int
        ) -> tuple[reading.Attempts | None, bool]:
            def add(attempt: EndedAttempt | RunningAttempt) -> int:
                found.add(dumps(attempt_document(attempt)))
                return len(found)

            page = await reading.attempts_of(
                connection, task_id, after=after, limit=limit, add=add, limit_bytes=limit_bytes
            )
            return page, page is not None and page.is_full

        found, page = await gathered(self._resources.database, read)
        if page is None:
            raise TaskNotFoundError(task_id=task_id)
        return found.end(), page.last

    async def tags(self, *, after: str | None, limit: int) -> stats.Tags:
        """Some of the tags that tasks have, by name."""
        return await self._resources.database.read_at_length(
            partial(stats.tags, after=after, limit=limit)
        )

    async def stored_by(self, key: str) -> Array:
        """The tasks that a key has made."""

        async def read(
            connection: Connection, found: Array, limit_bytes: int
        ) -> tuple[int | None, bool]:
            def add(task: Task) -> int:
                found.add(task_document(task))
                return len(found)

            last = await reading.tasks_of_key(
                connection, key=key, after=-1, is_whole=True, add=add, limit_bytes=limit_bytes
            )
            return last, last is not None

        found, last = await gathered(self._resources.database, read)
        if last is not None:

            def add_summary(task: Task) -> int:
                found.add(task_summary(task))
                return 0

            await self._resources.database.read_at_length(
                partial(
                    reading.tasks_of_key,
                    key=key,
                    after=last,
                    is_whole=False,
                    add=add_summary,
                    limit_bytes=PAGE_BYTES,
                )
            )
        return found

    async def _page(
        self, wanted: TaskFilter, page: Page, *, is_summary: bool
    ) -> tuple[bytes, bytearray]:
        async def read(
            connection: Connection, found: Array, limit_bytes: int
        ) -> tuple[Position | None, bool]:
            def add(one: Task | Summary) -> int:
                found.add(listed_summary(one) if isinstance(one, Summary) else task_document(one))
                return len(found)

            return await listing.list_tasks(
                connection,
                wanted=wanted,
                page=page,
                timeout_seconds=self._resources.settings.search_timeout_seconds,
                add=add,
                limit_bytes=limit_bytes,
                is_summary=is_summary,
            )

        found, last = await gathered(self._resources.database, read)
        position = f"{last.at.isoformat()} {last.id}" if last is not None else ""
        return position.encode(), found.end()


async def gathered(
    database: Database, read: Callable[[Connection, Array, int], Awaitable[tuple[T, bool]]]
) -> tuple[Array, T]:
    """What `read` puts into an array, ended early where it has so many bytes, and what else it
    says. Most are small; only of the others is one read at a time."""
    found = Array()

    async def anew(connection: Connection, limit_bytes: int) -> tuple[T, bool]:
        nonlocal found
        found = Array()  # it may be called again
        return await read(connection, found, limit_bytes)

    said, is_full = await database.read_at_length(partial(anew, limit_bytes=SMALL_PAGE_BYTES))
    if is_full:
        found = Array()  # what is there by now shall not wait with it
        said, _ = await database.read_much(partial(anew, limit_bytes=PAGE_BYTES))
    return found, said


def _named(*asked: object) -> str:
    """What was asked for, as one short word."""
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _position(text: bytes) -> Position | None:
    if not text:
        return None
    at, _, task_id = text.decode().partition(" ")
    return Position(datetime.fromisoformat(at), int(task_id))
