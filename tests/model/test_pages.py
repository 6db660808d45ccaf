"""Lists walked through page by page, on two API processes, while tasks are submitted, change and
are deleted: no task comes twice, and none is missed that stood throughout.

`make model` goes further."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    consumes,
    initialize,
    multiple,
    precondition,
    rule,
)

from tests.model import values
from tests.model.conftest import Go
from tests.model.lists import Filter, matches, resolved, sent
from tests.model.pages import Walk, place, timed
from tests.model.walker import Walker
from tests.model.world import World
from tests.support.calls import Document
from tests.support.elapse import moment


class PageMachine(Walker):
    """Walks that are under way, and what happens meanwhile."""

    tasks: Bundle[int] = Bundle("tasks")

    def __init__(self, world: Callable[[], World]) -> None:
        super().__init__(world)
        self.shown: dict[int, Document] = {}
        self.under_way: list[Walk] = []

    @initialize(target=tasks, bodies=st.lists(values.plain_bodies, min_size=5, max_size=9))
    def begin(self, bodies: list[Document]) -> MultipleResults[int]:
        return multiple(*self._submit(0, bodies))

    @rule(
        target=tasks,
        process=values.processes,
        bodies=st.lists(values.plain_bodies, min_size=1, max_size=3),
    )
    def submit(self, process: int, bodies: list[Document]) -> MultipleResults[int]:
        """All of them are created in one moment."""
        return multiple(*self._submit(process, bodies))

    @rule(target=tasks, process=values.processes, body=values.plain_bodies, other=tasks)
    def submit_late(self, process: int, body: Document, other: int) -> MultipleResults[int]:
        """Its transaction began in the same moment as another, and is committed only now."""
        if other not in self.shown:
            return multiple()
        (task_id,) = self._submit(process, [body])
        self.world.create_at(task_id, moment(self.shown[other]["created_at"]))
        self._note(self.world.call(process, "GET", f"/tasks/{task_id}").json())
        return multiple(task_id)

    @rule(process=values.processes, task_id=tasks, changes=values.changes)
    def patch(self, process: int, task_id: int, changes: Document) -> None:
        answer = self.world.call(process, "PATCH", f"/tasks/{task_id}", json=changes)
        if answer.status_code == 200:
            self._note(answer.json())

    @rule(process=values.processes, task_id=tasks, action=values.actions)
    def intervene(self, process: int, task_id: int, action: str) -> None:
        answer = self.world.call(process, "POST", f"/admin/tasks/{task_id}/{action}")
        if answer.status_code == 200:
            self._note(answer.json())

    @rule(process=values.processes, task_id=consumes(tasks))
    def delete(self, process: int, task_id: int) -> None:
        self._delete(process, task_id)

    @precondition(lambda self: self.under_way)
    @rule(process=values.processes, pick=values.picks)
    def delete_where_a_walk_stands(self, process: int, pick: int) -> None:
        walk = self.under_way[pick % len(self.under_way)]
        if walk.seen:
            self._delete(process, walk.seen[-1]["id"])

    @rule(
        process=values.processes,
        wanted=values.filters,
        order=values.orders,
        limit=st.sampled_from([1, 2, 4]),
    )
    def begin_a_walk(self, process: int, wanted: Filter, order: str, limit: int) -> None:
        places = sorted(place(timed(shown)) for shown in self.shown.values())
        wanted = resolved(wanted, places)
        standing = {i for i, shown in self.shown.items() if matches(timed(shown), wanted)}
        walk = Walk(wanted, order == "asc", limit, standing)
        self.under_way.append(walk)
        self._turn(process, walk, "/tasks", {**sent(wanted), "order": order, "limit": limit})

    @precondition(lambda self: self.under_way)
    @rule(process=values.processes, pick=values.picks)
    def turn_the_page(self, process: int, pick: int) -> None:
        walk = self.under_way[pick % len(self.under_way)]
        assert walk.next is not None
        self._turn(process, walk, walk.next)

    @precondition(lambda self: self.under_way)
    @rule(process=values.processes, pick=values.picks)
    def walk_to_the_end(self, process: int, pick: int) -> None:
        walk = self.under_way[pick % len(self.under_way)]
        while walk.next is not None:
            self._turn(process, walk, walk.next)

    def _submit(self, process: int, bodies: list[Document]) -> list[int]:
        tasks = values.dated(self.world.now, bodies)
        answer = self.world.call(process, "POST", "/tasks/batch", json={"tasks": tasks})
        assert answer.status_code == 201, answer.text
        for document in answer.json():
            self._note(document)
        return [document["id"] for document in answer.json()]

    def _delete(self, process: int, task_id: int) -> None:
        answer = self.world.call(process, "DELETE", f"/tasks/{task_id}")
        assert answer.status_code == (204 if task_id in self.shown else 404)
        self.shown.pop(task_id, None)
        for walk in self.under_way:
            walk.standing.discard(task_id)

    def _note(self, document: Document) -> None:
        """How a task looks from now on."""
        self.shown[document["id"]] = document
        for walk in self.under_way:
            if not matches(timed(document), walk.wanted):
                walk.standing.discard(document["id"])

    def _turn(
        self, process: int, walk: Walk, path: str, params: Mapping[str, Any] | None = None
    ) -> None:
        answer = self.world.call(process, "GET", path, params=params)
        assert answer.status_code == 200, answer.text
        for document in answer.json():
            assert document == self.shown[document["id"]]
        walk.turn(answer.json(), answer.links.get("next", {}).get("url"))
        if walk.next is None:
            self.under_way.remove(walk)
            self.world.tally.counts["walks to the end"] += 1
            self.world.tally.counts["tasks seen by them"] += len(walk.seen)
            self.world.tally.counts["of these, stood throughout"] += len(walk.standing)


@pytest.mark.timeout(0)
def test_a_walk_shows_what_stands_once(go: Go) -> None:
    go(PageMachine)
