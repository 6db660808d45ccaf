"""Holds what the API answers to what the model says, after every step."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
from hypothesis.stateful import invariant

from tests.model.board import Board
from tests.model.calls import Refused
from tests.model.lists import Filter, resolved
from tests.model.moments import Between, agree
from tests.model.tasks import RUNNING, Task
from tests.model.walker import Walker
from tests.model.world import PROCESSES, TICK_SECONDS, World
from tests.support.calls import Document, problem


class Machine(Walker):
    """A world and its model, and how the one is compared with the other."""

    def __init__(self, world: Callable[[], World]) -> None:
        super().__init__(world)
        self.board = Board()
        self.board.remembers_since = self.world.remembers_since
        # What this step has changed: each is looked at after it, everywhere.
        self.touched: set[int] = set()
        # Which process was the last to be asked for something; None: the scheduler.
        self.process: int | None = None
        # When that was.
        self.now = self.world.since(self.world.now)

    def teardown(self) -> None:
        self.world.tally.transitions += self.board.history.transitions
        super().teardown()

    def ask(
        self, process: int, method: str, path: str, **rest: Any
    ) -> tuple[httpx.Response, Between]:
        """The answer, and when it was given."""
        self.settle()
        self.process = process
        began = self.world.now
        answer = self.world.call(process, method, path, **rest)
        self.now = self.world.since(began)
        return answer, self.now

    def settle(self) -> None:
        """Nothing happens by itself in the next moments."""
        self.commit()
        while self.world.is_close(list(self.board.moments(self.world.now))):
            self.elapse(TICK_SECONDS)

    def commit(self) -> None:
        """What follows from the last call for those that depend on what it has ended."""
        self.touched.update(task.id for task in self.board.flows.commit(self.now))

    def elapse(self, seconds: float) -> None:
        """So much time passes."""
        self.commit()
        self.world.elapse(seconds)
        self.board.elapse(seconds)
        self.touched.update(self.board.tasks)

    def resolved(self, wanted: Filter) -> Filter:
        """A filter that means tasks which are there."""
        return resolved(wanted, [task.place for task in self.board.matching({})])

    def shows(self, document: Document, task: Task, now: Between | None = None) -> None:
        """With what is known of its running attempt then, if the call says it."""
        if now is not None:
            task.tells_of_the_attempt(document, now)
            document = {**document, **dict.fromkeys(RUNNING)}
        agree(task.told, document)
        self.touched.add(task.id)

    def answers(self, answer: httpx.Response, expected: Task | Refused) -> None:
        """With the task, or with why not."""
        if isinstance(expected, Refused):
            self.refuses(answer, expected)
        else:
            assert answer.status_code == 200, answer.text
            self.shows(answer.json(), expected)

    def refuses(self, answer: httpx.Response, refused: Refused) -> None:
        problem(answer, refused.status)
        said = answer.json()
        assert {name: said.get(name) for name in refused.facts} == refused.facts

    @invariant()
    def look(self) -> None:
        """All is as the model says: the list of everything, by one process, and what was touched,
        by each."""
        super().look()
        self.settle()
        process = PROCESSES[self.world.tally.steps % len(PROCESSES)]
        answer = self.world.call(process, "GET", "/tasks?order=asc&limit=1000")
        documents = {document["id"]: document for document in answer.json()}
        tasks = self.board.matching({})
        assert documents.keys() == {task.id for task in tasks}
        for task in tasks:
            agree(task.told, documents[task.id])
        assert self.world.key_holders() == sorted(task.id for task in tasks if task.holds)
        # Only now is the order known of what was made just before.
        assert list(documents) == [task.id for task in self.board.matching({})]
        touched = sorted(self.touched)
        for each in PROCESSES:
            self._look_at_tasks(each, touched)
        self._look_at_attempts(process, touched)
        self.touched.clear()

    def _look_at_tasks(self, process: int, ids: Sequence[int]) -> None:
        self.settle()
        began = self.world.now
        answers = self.world.get_all(process, [f"/tasks/{task_id}" for task_id in ids])
        now = self.world.since(began)
        for task_id, answer in zip(ids, answers, strict=True):
            task = self.board.of(task_id)
            if isinstance(task, Refused):
                self.refuses(answer, task)
            else:
                self.shows(answer.json(), task, now)

    def _look_at_attempts(self, process: int, ids: Sequence[int]) -> None:
        answers = self.world.get_all(process, [f"/tasks/{task_id}/attempts" for task_id in ids])
        for task_id, answer in zip(ids, answers, strict=True):
            task = self.board.of(task_id)
            if isinstance(task, Refused):
                self.refuses(answer, task)
            else:
                for expected, found in zip(task.all_attempts(), answer.json(), strict=True):
                    agree(expected, found)
