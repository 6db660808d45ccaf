"""What workers do, and what they are given."""

import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.model import values
from tests.model.board import task_of
from tests.model.calls import Finish, Refused
from tests.model.machine import Machine
from tests.model.moments import Between, agree, bounds, first
from tests.model.tasks import Task
from tests.model.values import LeasePick
from tests.model.world import World
from tests.support.calls import Document

# For so long a process may begin its claims beyond what has become claimable through another.
REMEMBERED_SECONDS = 1.0


class Returned(NamedTuple):
    """When, and through which process, a task came back to where it may be claimed."""

    process: int | None
    at: float


class WorkerRules(Machine):
    """Claim, heartbeat, finish."""

    def __init__(self, world: Callable[[], World]) -> None:
        super().__init__(world)
        # Every lease there ever was.
        self.given: list[str] = []
        self._ranks: dict[int, int | None] = {}
        self._returned: dict[int, Returned] = {}

    def elapse(self, seconds: float) -> None:
        super().elapse(seconds)
        self._returned.clear()

    @rule(
        process=values.processes, claim=values.claims, rested=st.sampled_from([False, False, True])
    )
    def claim(self, process: int, claim: Document, rested: bool) -> None:
        if rested:  # so long that no process remembers where its queues begin
            self.world.rest()
            self._returned.clear()
        self._claim(process, claim)

    @rule(
        process=values.processes,
        claim=values.claims,
        finishes=st.lists(values.finishes, min_size=1, max_size=3),
    )
    def work(self, process: int, claim: Document, finishes: list[Document]) -> None:
        """Claim, and end at once what was given."""
        for lease_id, finish in zip(self._claim(process, claim), cycle(finishes), strict=False):
            self._finish(process, lease_id, finish)

    @precondition(lambda self: self.given)
    @rule(process=values.processes, pick=values.leases, progress=values.values)
    def heartbeat(self, process: int, pick: LeasePick, progress: Any) -> None:
        lease_id = self._lease(pick)
        body = {"progress": progress}
        answer, now = self.ask(process, "POST", f"/leases/{lease_id}/heartbeat", json=body)
        task = self.board.holder(lease_id)
        if isinstance(task, Refused):
            self.refuses(answer, task)
        else:
            assert answer.status_code == 200, answer.text
            expiry = task.heartbeat(now, progress)
            assert task.lease is not None
            agree({"expires_at": expiry, "deadline": task.lease.deadline}, answer.json())
            self.touched.add(task.id)

    @precondition(lambda self: self.given)
    @rule(process=values.processes, pick=values.leases, finish=values.finishes)
    def finish(self, process: int, pick: LeasePick, finish: Document) -> None:
        self._finish(process, self._lease(pick), finish)

    @rule(
        process=values.processes,
        picks=st.lists(values.leases, max_size=3),
        finishes=st.lists(values.finishes, min_size=3, max_size=3),
        claim=st.none() | values.claims,
    )
    def finish_many(
        self,
        process: int,
        picks: list[LeasePick],
        finishes: list[Document],
        claim: Document | None,
    ) -> None:
        self.settle()
        lease_ids = [self._lease(pick) for pick in picks if self.given]
        items = [
            {"lease_id": lease_id, **finish}
            for lease_id, finish in zip(lease_ids, finishes, strict=False)
        ]
        body = {"items": items, "claim": claim}
        answer, now = self.ask(process, "POST", "/leases/finish", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        expected = [
            self.board.finish(Finish(lease_id, **finish), now)
            for lease_id, finish in zip(lease_ids, finishes, strict=False)
        ]
        for item, lease_id, task in zip(found["items"], lease_ids, expected, strict=True):
            assert item["lease_id"] == lease_id
            if isinstance(task, Refused):
                assert item["status"] == task.status
                assert item["detail"]
            else:
                assert item["status"] == 200
            present = self.board.tasks.get(task_of(lease_id))
            assert ("task" in item) == (present is not None)
            if present is not None:
                self.shows(item["task"], present)
        if claim is None:
            assert found["leases"] == []
            return
        finished = {task.id for task in expected if not isinstance(task, Refused)}
        self._is_handed(found["leases"], claim, now, finished)

    def _claim(self, process: int, claim: Document) -> list[str]:
        answer, now = self.ask(process, "POST", "/leases", json=claim)
        assert answer.status_code == 200, answer.text
        self._is_handed(answer.json(), claim, now, set())
        return [document["lease_id"] for document in answer.json()]

    def _finish(self, process: int, lease_id: str, finish: Document) -> None:
        outcome = finish["outcome"]
        body = {name: value for name, value in finish.items() if name != "outcome"}
        answer, now = self.ask(process, "POST", f"/leases/{lease_id}/{outcome}", json=body)
        self.answers(answer, self.board.finish(Finish(lease_id, **finish), now))

    def _lease(self, pick: LeasePick) -> str:
        """One that holds its task, if any does; or any that was ever given out."""
        leases = (pick.is_held and self.board.held()) or self.given
        return leases[pick.number % len(leases)]

    def _is_handed(
        self, documents: Sequence[Document], claim: Document, now: Between, finished: set[int]
    ) -> None:
        """The first that wait, and no others; `finished` in the same call."""
        limit, taken = claim.get("limit", 1), [document["task"]["id"] for document in documents]
        waiting = [task.id for task in self.board.claimable(claim.get("queues", ["default"]))]
        assert taken or not waiting, "there was something to do"
        assert len(taken) <= limit
        # In their order, but for some that may be overlooked.
        assert taken == [task_id for task_id in waiting if task_id in taken]
        before = waiting if len(taken) < limit else waiting[: waiting.index(taken[-1])]
        for task_id in set(before) - set(taken) - finished:
            assert self._may_be_overlooked(task_id), f"{task_id} was first"
        for document in documents:
            task = self.board.tasks[document["task"]["id"]]
            self._is_lease(document, task, claim, now)
            self.given.append(document["lease_id"])

    def _is_lease(self, document: Document, task: Task, claim: Document, now: Between) -> None:
        seconds = claim.get("lease_seconds")
        worker = claim["worker"].strip()
        task.claim(now, lease_id=document["lease_id"], worker=worker, seconds=seconds)
        assert task_of(document["lease_id"]) == task.id
        self.shows(document["task"], task)
        assert task.lease is not None
        # To the microsecond.
        started_at = bounds(task.shown["started_at"])
        task.lease.deadline = started_at.plus(task.shown["timeout_seconds"])
        task.lease.look_at = task.lease.deadline
        if seconds is not None:
            task.lease.look_at = first(task.lease.deadline, started_at.plus(seconds))
        expected = {
            "lease_id": task.lease.id,
            "attempt": task.shown["attempt"],
            "deadline": task.lease.deadline,
            "expires_at": task.lease.look_at,
        }
        agree(expected, {name: document[name] for name in document if name != "task"})

    @invariant()
    def look(self) -> None:
        self.commit()
        ranks = {t.id: t.rank if t.is_claimable else None for t in self.board.tasks.values()}
        for task_id, rank in ranks.items():
            if rank is not None and rank != self._ranks.get(task_id, rank):
                self._returned[task_id] = Returned(self.process, time.monotonic())
        self._ranks = ranks
        super().look()

    def _may_be_overlooked(self, task_id: int) -> bool:
        returned = self._returned.get(task_id)
        return (
            returned is not None
            and returned.process != self.process
            and time.monotonic() - returned.at < REMEMBERED_SECONDS + 1
        )
