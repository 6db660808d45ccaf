"""What clients do, and what they are told."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, precondition, rule

from app.domain.states import ENDED
from tests.model import values
from tests.model.calls import Keyed, Refused
from tests.model.lists import Filter, sent
from tests.model.machine import Machine
from tests.model.moments import same
from tests.model.reasons import explains
from tests.model.values import meant, said_otherwise
from tests.model.world import World
from tests.support.calls import Document, problem


class ClientRules(Machine):
    """Submit, get, list, patch, delete."""

    tasks: Bundle[int] = Bundle("tasks")

    def __init__(self, world: Callable[[], World]) -> None:
        super().__init__(world)
        # What was sent with each idempotency key, and whether as a batch.
        self.sent_with: dict[str, tuple[bool, list[Document]]] = {}

    @initialize(target=tasks, bodies=st.lists(values.bodies, min_size=3, max_size=6))
    def begin(self, bodies: list[Document]) -> MultipleResults[int]:
        return self._submit(0, bodies, key=None, is_batch=True)

    @rule(
        target=tasks,
        process=values.processes,
        bodies=st.lists(values.bodies, min_size=1, max_size=3),
        key=st.none() | values.keys,
        is_batch=st.booleans(),
    )
    def submit(
        self, process: int, bodies: list[Document], key: str | None, is_batch: bool
    ) -> MultipleResults[int]:
        return self._submit(process, bodies, key=key, is_batch=is_batch or len(bodies) > 1)

    @precondition(lambda self: self.sent_with)
    @rule(target=tasks, process=values.processes, pick=values.picks, otherwise=st.booleans())
    def submit_again(self, process: int, pick: int, otherwise: bool) -> MultipleResults[int]:
        key = sorted(self.sent_with)[pick % len(self.sent_with)]
        is_batch, bodies = self.sent_with[key]
        if otherwise:
            bodies = [said_otherwise(body) for body in bodies]
        return self._submit(process, bodies, key=key, is_batch=is_batch)

    @rule(process=values.processes, task_id=tasks, wait=st.booleans())
    def get(self, process: int, task_id: int, wait: bool) -> None:
        self.settle()
        task = self.board.of(task_id)
        # Whoever waits for the end of one that has ended is answered at once.
        waits = wait and (isinstance(task, Refused) or task.status in ENDED)
        answer, now = self.ask(
            process, "GET", f"/tasks/{task_id}", params={"wait_seconds": 9} if waits else {}
        )
        if isinstance(task, Refused):
            self.refuses(answer, task)
        else:
            assert answer.status_code == 200, answer.text
            self.shows(answer.json(), task, now)

    @rule(process=values.processes)
    def ask_why(self, process: int) -> None:
        """Of each task."""
        self.settle()
        tasks = self.board.matching({})
        answers = self.world.get_all(process, [f"/tasks/{task.id}/why" for task in tasks])
        for task, answer in zip(tasks, answers, strict=True):
            assert answer.status_code == 200, answer.text
            explains(self.board, task, answer.json())

    @rule(
        process=values.processes,
        wanted=values.filters,
        limit=st.sampled_from([1, 3, 1000]),
        order=values.orders,
    )
    def look_at_list(self, process: int, wanted: Filter, limit: int, order: str) -> None:
        """Page by page. No time passes on the way: a cursor does not move with the rows."""
        wanted = self.resolved(wanted)
        expected = self.board.matching(wanted)
        if order == "desc":
            expected.reverse()
        path, params = "/tasks", {**sent(wanted), "limit": str(limit), "order": order}
        for begin in range(0, max(len(expected), 1), limit):
            answer = self.world.call(process, "GET", path, params=params or None)
            assert answer.status_code == 200, answer.text
            page = expected[begin : begin + limit]
            for task, document in zip(page, answer.json(), strict=True):
                self.shows(document, task)
            assert ("next" in answer.links) == (begin + limit < len(expected))
            if "next" in answer.links:
                path, params = answer.links["next"]["url"], {}

    @rule(process=values.processes, task_id=tasks, changes=values.changes)
    def patch(self, process: int, task_id: int, changes: Document) -> None:
        answer, now = self.ask(process, "PATCH", f"/tasks/{task_id}", json=changes)
        self.answers(answer, self.board.patch(task_id, meant(changes), now))

    @rule(
        process=values.processes,
        bodies=st.lists(values.bodies, max_size=2),
        task_id=tasks,
        changes=values.refused_changes,
    )
    def send_what_is_refused(
        self, process: int, bodies: list[Document], task_id: int, changes: Document
    ) -> None:
        """Nothing of it is stored."""
        answer, _ = self.ask(process, "PATCH", f"/tasks/{task_id}", json=changes)
        problem(answer, 422, *changes)
        tasks = [*values.dated(self.world.now, bodies), {"title": "a task", "status": "done"}]
        answer, _ = self.ask(process, "POST", "/tasks/batch", json={"tasks": tasks})
        problem(answer, 422, f"tasks.{len(bodies)}.status")

    @rule(process=values.processes, task_id=tasks)
    def delete(self, process: int, task_id: int) -> None:
        answer, _ = self.ask(process, "DELETE", f"/tasks/{task_id}")
        task = self.board.of(task_id)
        if isinstance(task, Refused):
            self.refuses(answer, task)
        else:
            assert answer.status_code == 204, answer.text
            del self.board.tasks[task_id]
            self.touched.add(task_id)

    def _submit(
        self, process: int, bodies: list[Document], *, key: str | None, is_batch: bool
    ) -> MultipleResults[int]:
        self.settle()
        bodies = values.dated(self.world.now, bodies)
        path, body = ("/tasks/batch", {"tasks": bodies}) if is_batch else ("/tasks", bodies[0])
        headers = {"Idempotency-Key": key} if key else {}
        answer, now = self.ask(process, "POST", path, json=body, headers=headers)
        asked = [meant(body) for body in bodies]
        known = self.board.known(key) if key else None
        if known is not None and not same(known.body, [is_batch, asked]):
            problem(answer, 422)
            return multiple()
        if is_batch and (shared := self._shared_rejects(asked)):
            problem(answer, 422, f"tasks.{shared[0]}.unique.key")
            return multiple()
        if known is None and (refused := self.board.flows.refused(asked)):
            self.refuses(answer, refused)
            return multiple()
        found = self.board.submit(asked, now) if known is None else []
        if isinstance(found, Refused):
            self.refuses(answer, found)
            return multiple()
        is_new = known is None and (is_batch or not found[0].id)
        assert answer.status_code == (201 if is_new else 200), answer.text
        documents = answer.json() if is_batch else [answer.json()]
        if not is_batch:
            assert answer.headers["location"] == f"tasks/{documents[0]['id']}"
        if known is not None:
            for task_id, document in zip(known.ids, documents, strict=True):
                task = self.board.tasks[task_id]
                # One task is shown as a client gets it.
                self.shows(document, task, None if is_batch else now)
            return multiple()
        made = [*dict.fromkeys(task for task in found if not task.id)]
        for task, document in zip(found, documents, strict=True):
            if not task.id:
                task.shown["id"] = document["id"]
        self.board.store(made)
        self.board.link(asked, found, now)
        for task, document in zip(found, documents, strict=True):
            self.shows(document, task)
        ids = [task.id for task in made]
        assert ids == sorted(ids)
        if key:
            self.board.keys[key] = Keyed([is_batch, asked], [task.id for task in found])
            self.sent_with[key] = is_batch, bodies
        return multiple(*ids)

    @staticmethod
    def _shared_rejects(asked: list[Document]) -> list[int]:
        """Items that reject, and whose unique key another one of them has."""
        keys = [(one.get("queue", "default"), one.get("unique", {}).get("key")) for one in asked]
        return [
            place
            for place, one in enumerate(asked)
            if one.get("unique", {}).get("conflict") == "reject" and keys.count(keys[place]) > 1
        ]
