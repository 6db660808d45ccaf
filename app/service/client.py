"""The client door's use cases: submit, get, wait, list, patch, delete, and what to know."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from pymysql import err

from app.domain.documents import Array, attempt_document, dumps, task_document, task_summary
from app.domain.errors import (
    RowBusyError,
    RowlockError,
    TagMissingError,
    TaskNotFoundError,
    TooManyWaitingError,
)
from app.domain.states import Status
from app.domain.task import EndedAttempt, Lease, Task
from app.mysql.database import Connection
from app.mysql.error_codes import error_code
from app.queue import intervene, submitting
from app.queue.attempts import poll_checks
from app.queue.figures import stats
from app.queue.lists import listing, reading
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import Page, Position
from app.queue.requests import Move, Submission, Submitted
from app.runtime import metrics
from app.runtime.light_event import LightEvent
from app.service.coalescer import Coalescer
from app.service.platform import Platform

# Together at most this many tasks are stored, or read, in one batch.
SUBMIT_LIMIT: Final = 1000
READ_LIMIT: Final = 64
WEIGHTY_CHARACTERS: Final = 16_384
# A page ends early when it has grown to so much. Few are larger than the other, and those are
# read one by one.
PAGE_BYTES: Final = 8 * 1024 * 1024
SMALL_PAGE_BYTES: Final = 1024 * 1024

# Whatever comes between, it does not do so again and again.
TRIES: Final = 5
DUPLICATE_KEY: Final = 1062
MISSING_PARENT: Final = 1452


T = TypeVar("T")


class Stored(NamedTuple):
    """The document of what was submitted; `is_new` is False where its key had stored it before."""

    document: bytes | bytearray
    is_new: bool


class ClientService:
    """What clients do."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._submissions: Coalescer[Submission, Submitted] = Coalescer(
            self._submit,
            limit=SUBMIT_LIMIT,
            parallel=platform.batches_under_way,
            weigh=_weight,
            observe=metrics.BATCH_CALLS.labels("submit").observe,
        )
        self._reads: Coalescer[int, bytes] = Coalescer(
            self._read,
            limit=READ_LIMIT,
            observe=metrics.BATCH_CALLS.labels("read").observe,
        )

        self._looks: Coalescer[int, bool] = Coalescer(
            self._look,
            limit=READ_LIMIT,
            observe=metrics.BATCH_CALLS.labels("wait").observe,
        )
        # Past the cache, which may not have been told yet.
        self._last_reads: Coalescer[int, bytes] = Coalescer(
            self._read_anew,
            limit=READ_LIMIT,
            observe=metrics.BATCH_CALLS.labels("last read").observe,
        )

    async def submit_task(self, submission: Submission) -> tuple[Stored, int]:
        """Store a task, and its id; it is committed when this returns. Raises `KeyReusedError`."""
        for _ in range(TRIES):
            submitted = await self._submit_one(submission)
            if submitted.is_new:
                (task,) = submitted.tasks
                return Stored(task_document(task), is_new=True), task.id
            with suppress(TaskNotFoundError):  # deleted meanwhile, and the key is free again
                document = await self.get(submitted.first_id)
                return Stored(document, is_new=False), submitted.first_id
        raise RowBusyError

    async def submit_batch(self, submission: Submission) -> Stored:
        """Store tasks, all or none; they are committed when this returns. Raises `KeyReusedError`.

        A batch that its key had stored before is answered as it is by now. Where that has grown to
        `PAGE_BYTES`, the rest of the tasks come without their long fields.
        """
        for _ in range(TRIES):
            submitted = await self._submit_one(submission)
            if submitted.is_new:
                return Stored(Array(map(task_document, submitted.tasks)).end(), is_new=True)
            assert submission.key is not None
            found = await self._stored_by(submission.key)
            if found:
                return Stored(found.end(), is_new=False)
        raise RowBusyError

    async def get(self, task_id: int) -> bytes:
        """The task's document. Raises `TaskNotFoundError`."""
        return await self._reads(task_id)

    async def wait(
        self, task_id: int, *, wait_seconds: float, gone: LightEvent | None = None
    ) -> bytes:
        """The task's document once it has ended, or as it is after `wait_seconds`, or when the
        caller has `gone`.

        Raises `TooManyWaitingError` where it has not, and there is no room to wait.
        """
        until = time.monotonic() + wait_seconds
        room = self._platform.endings
        try:
            waiter = room.enter([task_id])
        except TooManyWaitingError:
            if await self._looks(task_id):
                return await self._last_reads(task_id)
            raise
        try:
            while True:
                has_ended = await self._looks(task_id)
                remaining = until - time.monotonic()
                if has_ended:
                    return await self._last_reads(task_id)
                if remaining <= 0 or not room.is_open or (gone is not None and gone.is_set()):
                    return await self.get(task_id)
                await waiter.wait(remaining, gone)
        finally:
            room.leave(waiter)

    async def page(
        self, wanted: TaskFilter, page: Page
    ) -> tuple[bytes | bytearray, Position | None]:
        """One page as a JSON array, and after which task the next one begins, if any.

        Raises `SearchTooSlowError`.
        """
        query = hashlib.sha256(repr((wanted, page)).encode()).hexdigest()
        found, slot = await self._platform.cache.result_of(query)
        if found is not None:
            last, _, documents = found.partition(b";")
            return documents, _position(last)
        last, page_text = await self._page(wanted, page)
        if slot is not None:
            await self._platform.cache.fill_result(slot, query, last, b";", page_text)
        return page_text, _position(last)

    async def patch(
        self, task_id: int, changes: Mapping[str, Any], tag_names: Sequence[str] | None
    ) -> Task:
        """Change what a client may change. Raises `TaskNotFoundError`, `FieldLockedError` or
        `RetryLimitTooLowError`."""

        async def patch() -> Move:
            await self._platform.tags.ensure(tag_names or ())
            return await self._platform.database.transact_alone(
                partial(
                    intervene.patch,
                    task_id=task_id,
                    changes=changes,
                    tag_names=tag_names,
                    tag_ids=self._platform.tags.ids,
                )
            )

        move: Move = await self._or_again(patch)
        await self._platform.moved([move])
        return move[1]

    async def delete(self, task_id: int) -> None:
        """Delete a task, whatever its state. Raises `TaskNotFoundError`."""
        delete = partial(intervene.delete, task_id=task_id)
        task = await self._platform.database.transact_alone(delete)
        await self._platform.removed([task])

    async def attempts(
        self, task_id: int, *, after: int, limit: int
    ) -> tuple[bytearray, int | None]:
        """Ended attempts as a JSON array, and after which one the next page begins, if any.
        Raises `TaskNotFoundError`."""

        async def read(
            connection: Connection, found: Array, limit_bytes: int
        ) -> tuple[reading.Attempts | None, bool]:
            def add(attempt: EndedAttempt) -> int:
                found.add(dumps(attempt_document(attempt)))
                return len(found)

            page = await reading.attempts_of(
                connection, task_id, after=after, limit=limit, add=add, limit_bytes=limit_bytes
            )
            return page, page is not None and page.is_full

        found, page = await self._gathered(read)
        if page is None:
            raise TaskNotFoundError(task_id=task_id)
        return found.end(), page.last

    async def tags(self, *, after: str | None, limit: int) -> stats.Tags:
        """Some of the tags that tasks have, by name."""
        return await self._platform.database.read_at_length(
            partial(stats.tags, after=after, limit=limit)
        )

    async def drain(self) -> None:
        """Return when everything accepted so far is answered."""
        await self._submissions.drain()
        await self._reads.drain()
        await self._looks.drain()
        await self._last_reads.drain()

    async def _submit_one(self, submission: Submission) -> Submitted:
        # Before the batch: new tags are this call's own, and nobody else's, to wait for.
        await self._platform.tags.ensure(n for t in submission.tasks for n in t.tag_names)
        return await self._submissions(submission)

    async def _submit(self, submissions: Sequence[Submission]) -> list[Submitted | Exception]:
        async def submit() -> list[Submitted | RowlockError]:
            await self._platform.tags.ensure(
                name for s in submissions for task in s.tasks for name in task.tag_names
            )
            return await self._platform.database.transact(
                partial(submitting.submit, submissions=submissions, tag_ids=self._platform.tags.ids)
            )

        answers = await self._or_again(submit)
        await self._platform.submitted(
            [t for a in answers if isinstance(a, Submitted) for t in a.tasks]
        )
        return list(answers)

    async def _or_again(self, write: Callable[[], Awaitable[Any]]) -> Any:
        """Again where another process was quicker with an idempotency key, or where a tag is gone
        that was remembered: nobody used it, or MySQL is another one, or was restored."""
        for _ in range(TRIES):
            try:
                return await write()
            except TagMissingError:
                self._platform.tags.forget()
            except err.IntegrityError as error:
                if error_code(error) == MISSING_PARENT:
                    self._platform.tags.forget()
                elif error_code(error) != DUPLICATE_KEY:
                    raise
        raise RowBusyError

    async def _read(self, ids: Sequence[int]) -> list[bytes | Exception]:
        wanted = set(ids)
        documents, slot = await self._platform.cache.tasks(wanted)
        missing = wanted - documents.keys()
        if missing:
            fresh = await self._fresh(missing)
            if slot is not None:
                await self._platform.cache.fill_tasks(slot, fresh)
            documents.update(fresh)
        return [documents.get(i) or TaskNotFoundError(task_id=i) for i in ids]

    async def _look(self, ids: Sequence[int]) -> list[bool]:
        # The poller's own look, so that both mean the same by an ended task.
        look = partial(poll_checks.ended, wanted=dict.fromkeys(ids, 1))
        ended = await self._platform.database.read(look)
        return [task_id in ended for task_id in ids]

    async def _read_anew(self, ids: Sequence[int]) -> list[bytes | Exception]:
        documents = await self._fresh(set(ids))
        return [documents.get(i) or TaskNotFoundError(task_id=i) for i in ids]

    async def _fresh(self, ids: Collection[int]) -> dict[int, bytes]:
        """The documents of those that exist, as they are in MySQL now."""
        tasks = await self._platform.database.read(partial(reading.get_tasks, ids=ids))
        progress = await self._platform.leases.progress_of(
            [
                Lease(task.id, task.lease_token)
                for task in tasks.values()
                if task.status == Status.IN_PROGRESS and task.lease_token is not None
            ]
        )
        return {
            task.id: task_document(task, progress=progress.get(task.id)) for task in tasks.values()
        }

    async def _page(self, wanted: TaskFilter, page: Page) -> tuple[bytes, bytearray]:
        async def read(
            connection: Connection, found: Array, limit_bytes: int
        ) -> tuple[Position | None, bool]:
            def add(task: Task) -> int:
                found.add(task_document(task))
                return len(found)

            return await listing.list_tasks(
                connection,
                wanted=wanted,
                page=page,
                timeout_seconds=self._platform.settings.search_timeout_seconds,
                add=add,
                limit_bytes=limit_bytes,
            )

        found, last = await self._gathered(read)
        position = f"{last.created_at.isoformat()} {last.id}" if last is not None else ""
        return position.encode(), found.end()

    async def _stored_by(self, key: str) -> Array:
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

        found, last = await self._gathered(read)
        if last is not None:

            def add_summary(task: Task) -> int:
                found.add(task_summary(task))
                return 0

            await self._platform.database.read_at_length(
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

    async def _gathered(
        self, read: Callable[[Connection, Array, int], Awaitable[tuple[T, bool]]]
    ) -> tuple[Array, T]:
        """What `read` puts into an array, ended early where it has so many bytes, and what else it
        says. Most are small; only of the others is one read at a time."""
        found = Array()

        async def anew(connection: Connection, limit_bytes: int) -> tuple[T, bool]:
            nonlocal found
            found = Array()  # it may be called again
            return await read(connection, found, limit_bytes)

        database = self._platform.database
        said, is_full = await database.read_at_length(partial(anew, limit_bytes=SMALL_PAGE_BYTES))
        if is_full:
            found = Array()  # what is there by now shall not wait with it
            said, _ = await database.read_much(partial(anew, limit_bytes=PAGE_BYTES))
        return found, said


def _position(text: bytes) -> Position | None:
    if not text:
        return None
    created_at, _, task_id = text.decode().partition(" ")
    return Position(datetime.fromisoformat(created_at), int(task_id))


def _weight(submission: Submission) -> int:
    """In tasks; one with long texts counts as several, or a batch could not end in time."""
    return sum(1 + len(task.payload or "") // WEIGHTY_CHARACTERS for task in submission.tasks)
