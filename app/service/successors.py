"""Ends of attempts that store tasks: the tasks are there if the attempt has ended, and only then.

They share transactions with each other, but with no other traffic: they may wait for a row that
somebody else holds, or have to be run one by one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

from app.domain.errors import (
    DependencyFailedError,
    GuardFailedError,
    NoDependencyError,
    RetryLimitTooLowError,
    RowlockError,
    StaleLeaseError,
    TaskNotFoundError,
    UniqueKeyHeldError,
    WaitsNoLongerError,
)
from app.domain.task import Task
from app.queue import successors
from app.queue.requests import Finish, LeaseAnswer, Submission
from app.runtime import metrics
from app.service.coalescer import Coalescer
from app.service.conflicts import or_again
from app.service.resources import Resources
from app.service.tasks import SUBMIT_LIMIT, weight_of

# What is wrong with one end alone, and not the next moment's business.
OWN_ERRORS: Final = (
    StaleLeaseError,
    TaskNotFoundError,
    UniqueKeyHeldError,
    RetryLimitTooLowError,
    NoDependencyError,
    DependencyFailedError,
    WaitsNoLongerError,
)


class _Ended(NamedTuple):
    answer: Task | RowlockError
    is_cut: bool
    submitted: Sequence[int] | None


class Successors:
    """One process's."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._leased = resources.claims.leased
        self._ends: Coalescer[Finish, _Ended] = Coalescer(
            self._run,
            limit=SUBMIT_LIMIT,
            weigh=lambda finish: 1 + weight_of(Submission(finish.submit)),
            observe=metrics.BATCH_CALLS.labels("finish_and_submit").observe,
            parallel=resources.batches_under_way,
        )

    async def end(self, finishes: Sequence[Finish]) -> LeaseAnswer:
        """End attempts, each by itself. Raises where it is not known of one whether it has ended,
        or where one is to be tried again; others may have ended then."""
        # Before the batch: new tags are this call's own, and nobody else's, to wait for.
        await self._resources.tags.ensure(_tags_of(finishes))
        found = await asyncio.gather(*map(self._ends, finishes), return_exceptions=True)
        finished: list[Task | RowlockError] = []
        cut: set[int] = set()
        submitted = {}
        for finish, ended in zip(finishes, found, strict=True):
            if isinstance(ended, OWN_ERRORS):
                finished.append(ended)
                continue
            if isinstance(ended, BaseException):
                raise ended
            finished.append(ended.answer)
            if ended.is_cut:
                cut.add(finish.lease.task_id)
            if ended.submitted is not None:
                submitted[finish.lease] = ended.submitted
        return LeaseAnswer(finished, [], cut=frozenset(cut), submitted=submitted)

    async def drain(self) -> None:
        """Return when everything accepted so far is answered."""
        await self._ends.drain()

    async def _run(self, finishes: Sequence[Finish]) -> list[_Ended]:
        try:
            ends = await or_again(self._resources.tags, partial(self._transact, finishes))
        finally:
            self._leased.forget(finishes)
        after_commit = self._resources.after_commit
        await after_commit.stored(ends.stored)
        ended = {answer.id for answer in ends.answers if isinstance(answer, Task)}
        await after_commit.moved(ends.moves, told_again=ended)
        return [
            _Ended(answer, finish.lease.task_id in ends.cut, ends.submitted.get(finish.lease))
            for finish, answer in zip(finishes, ends.answers, strict=True)
        ]

    async def _transact(self, finishes: Sequence[Finish]) -> successors.Ends:
        await self._resources.tags.ensure(_tags_of(finishes))
        finish_and_submit = partial(
            successors.finish_and_submit,
            finishes=finishes,
            leased=self._leased,
            tag_ids=self._resources.tags.ids,
        )
        try:
            return await self._resources.database.transact(finish_and_submit)
        except GuardFailedError:
            # A client has changed one of the tasks, or the sweep or management have ended it.
            self._leased.forget(finishes)
            return await self._resources.database.transact(finish_and_submit)


def _tags_of(finishes: Iterable[Finish]) -> set[str]:
    return {name for finish in finishes for task in finish.submit for name in task.tag_names}
