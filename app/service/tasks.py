"""Submitting tasks, changing them, deleting them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from app.domain.documents import Array, task_document, task_summary
from app.domain.errors import (
    RowBusyError,
    RowlockError,
    TaskNotFoundError,
)
from app.domain.task import Task
from app.queue import edit, placing, submitting
from app.queue.requests import Move, Submission, Submitted
from app.runtime import metrics
from app.runtime.steady_clock import steady_seconds
from app.service.coalescer import Coalescer
from app.service.conflicts import TRIES, or_again
from app.service.pages import PageService
from app.service.reads import ReadService
from app.service.resources import Resources

# Together at most this many tasks are stored in one batch.
SUBMIT_LIMIT: Final = 1000
WEIGHTY_CHARACTERS: Final = 16_384
WEIGHTY_EDGES: Final = 10
# Few keys come twice: they are looked up along with the insert, which is rolled back where one
# was used. Where some have come twice lately, they are looked up before.
LOOKS_UP_SECONDS: Final = 60.0


class Stored(NamedTuple):
    """The document of what was submitted; `is_new` is False where its key had stored it before, or
    where it is the task that holds its unique key."""

    document: bytes | bytearray
    is_new: bool


class TaskService:
    """What clients store and change."""

    def __init__(self, resources: Resources, reads: ReadService, pages: PageService) -> None:
        self._resources = resources
        self._reads = reads
        self._pages = pages
        self._looks_up_until = 0.0
        # Those with unique keys or dependencies may wait for rows that others hold; nobody else
        # waits with them.
        self._submissions, self._locking_submissions = (
            Coalescer[Submission, Submitted](
                self._submit,
                limit=SUBMIT_LIMIT,
                parallel=resources.batches_under_way,
                weigh=weight_of,
                observe=metrics.BATCH_CALLS.labels("submit").observe,
            )
            for _ in range(2)
        )

    async def submit_task(self, submission: Submission) -> tuple[Stored, int]:
        """Store a task, and its id; it is committed when this returns. Raises `KeyReusedError`,
        `UniqueKeyHeldError`, `RetryLimitTooLowError`, and for what it depends on
        `NoDependencyError`, `DependencyFailedError` and `WaitsNoLongerError`."""
        for _ in range(TRIES):
            submitted = await self._submit_one(submission)
            if submitted.tasks and not submitted.cut:
                (task,) = submitted.tasks
                return Stored(task_document(task), is_new=submitted.is_new), task.id
            with suppress(TaskNotFoundError):  # deleted meanwhile, and the key is free again
                document = await self._reads.get(submitted.first_id)
                return Stored(document, is_new=False), submitted.first_id
        raise RowBusyError

    async def submit_batch(self, submission: Submission) -> Stored:
        """Store tasks, all or none; they are committed when this returns. Raises as `submit_task`
        does.

        A batch that its key had stored before is answered as it is by now. Where that has grown to
        `pages.PAGE_BYTES`, the rest of the tasks come without their long fields.
        """
        for _ in range(TRIES):
            submitted = await self._submit_one(submission)
            if submitted.tasks:
                documents = Array(
                    task_summary(task) if task.id in submitted.cut else task_document(task)
                    for task in submitted.tasks
                )
                return Stored(documents.end(), is_new=True)
            assert submission.key is not None
            found = await self._pages.stored_by(submission.key)
            if found:
                return Stored(found.end(), is_new=False)
        raise RowBusyError

    async def patch(
        self, task_id: int, changes: Mapping[str, Any], tag_names: Sequence[str] | None
    ) -> Task:
        """Change what a client may change. Raises `TaskNotFoundError`, `FieldLockedError` or
        `RetryLimitTooLowError`."""

        async def patch() -> Move:
            await self._resources.tags.ensure(tag_names or ())
            return await self._resources.database.transact_alone(
                partial(
                    edit.patch,
                    task_id=task_id,
                    changes=changes,
                    tag_names=tag_names,
                    tag_ids=self._resources.tags.ids,
                )
            )

        move = await or_again(self._resources.tags, patch)
        await self._resources.after_commit.moved([move])
        return move[1]

    async def delete(self, task_id: int) -> None:
        """Delete a task, whatever its state. Raises `TaskNotFoundError`."""
        delete = partial(edit.delete, task_id=task_id)
        task = await self._resources.database.transact_alone(delete)
        await self._resources.after_commit.removed([task])

    async def drain(self) -> None:
        """Return when everything accepted so far is answered."""
        await self._submissions.drain()
        await self._locking_submissions.drain()

    async def _submit_one(self, submission: Submission) -> Submitted:
        # Before the batch: new tags are this call's own, and nobody else's, to wait for.
        await self._resources.tags.ensure(n for t in submission.tasks for n in t.tag_names)
        locks = any(
            task.unique is not None or task.depends is not None for task in submission.tasks
        )
        return await (self._locking_submissions if locks else self._submissions)(submission)

    async def _submit(self, submissions: Sequence[Submission]) -> list[Submitted | Exception]:
        store = partial(self._store, submissions)
        try:
            answers = await or_again(self._resources.tags, partial(store, locks_keys=False))
        except placing.KeyReleasedError:
            answers = await or_again(self._resources.tags, partial(store, locks_keys=True))
        stored = [answer for answer in answers if isinstance(answer, Submitted)]
        await self._resources.after_commit.stored(stored)
        return list(answers)

    async def _store(
        self, submissions: Sequence[Submission], *, locks_keys: bool
    ) -> list[Submitted | RowlockError]:
        await self._resources.tags.ensure(
            name for s in submissions for task in s.tasks for name in task.tag_names
        )
        store = partial(
            submitting.submit,
            submissions=submissions,
            tag_ids=self._resources.tags.ids,
            locks_keys=locks_keys,
        )
        if steady_seconds() >= self._looks_up_until:
            with suppress(submitting.KeyUsedError):
                return await self._resources.database.transact(
                    partial(store, expects_new_keys=True)
                )
            self._looks_up_until = steady_seconds() + LOOKS_UP_SECONDS
        return await self._resources.database.transact(store)


def weight_of(submission: Submission) -> int:
    """In tasks; one with long texts counts as several, as does one that depends on many, or a batch
    could not end in time."""
    payloads = sum(len(task.payload or "") // WEIGHTY_CHARACTERS for task in submission.tasks)
    depends = [task.depends for task in submission.tasks if task.depends is not None]
    edges = sum(len(d.ids) + len(d.refs) + len(d.blocks) for d in depends)
    return len(submission.tasks) + payloads + edges // WEIGHTY_EDGES
