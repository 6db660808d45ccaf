"""Ends of attempts that store tasks: both, or neither."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, precondition, rule

from tests.model import values
from tests.model.board import task_of
from tests.model.calls import Finish, Refused
from tests.model.client_rules import ClientRules
from tests.model.flow_rules import POLICIES, FlowRules
from tests.model.moments import Between
from tests.model.tasks import Task
from tests.model.values import LeasePick, meant
from tests.model.worker_rules import WorkerRules
from tests.model.world import World
from tests.support.calls import Document, problem

ENDS = values.finishes.filter(lambda finish: finish["outcome"] != "release")


class SuccessorRules(FlowRules, WorkerRules):
    """What comes of a task may depend on it, and on others; or take its key."""

    def __init__(self, world: Callable[[], World]) -> None:
        super().__init__(world)
        # What the ends of attempts have stored, by their leases.
        self.stored: dict[str, list[int]] = {}

    @precondition(lambda self: self.given)
    @rule(
        target=ClientRules.tasks,
        process=values.processes,
        pick=values.leases,
        finish=ENDS,
        bodies=st.lists(values.bodies, min_size=1, max_size=3),
        policy=POLICIES,
        is_own=st.booleans(),
        picks=st.lists(values.picks, max_size=1),
        is_among_many=st.booleans(),
    )
    def finish_and_submit(
        self,
        *,
        process: int,
        pick: LeasePick,
        finish: Document,
        bodies: list[Document],
        policy: Document,
        is_own: bool,
        picks: list[int],
        is_among_many: bool,
    ) -> MultipleResults[int]:
        lease_id = self._lease(pick)
        self.settle()
        parents = [task_of(lease_id)] * is_own + self._parents(picks, is_open=True)
        if parents:
            bodies[0] = {**bodies[0], **policy, "depends_on": [*dict.fromkeys(parents)]}
            bodies[0].pop("unique", None)
        bodies = values.dated(self.world.now, bodies)
        asked = [meant(body) for body in bodies]
        answer, now = self._end(process, lease_id, {**finish, "submit": bodies}, is_among_many)
        if shared := self._shared_rejects(asked):
            problem(answer, 422)
            (error,) = answer.json()["errors"][:1]
            assert error["field"].endswith(f"submit.{shared[0]}.unique.key")
            return multiple()
        end = Finish(lease_id, **finish)
        holds = isinstance(self.board.holder(lease_id), Task)
        refused = self._refused(end, asked, now, holds=holds)
        if is_among_many:
            assert answer.status_code == 200, answer.text
            (found,) = answer.json()["items"]
            if refused is not None:
                assert found["status"] == refused.status
                return multiple()
            document, submitted = found["task"], found["submitted"]
        elif refused is not None:
            self.refuses(answer, refused)
            return multiple()
        else:
            assert answer.status_code == 200, answer.text
            document = answer.json()
            submitted = document.pop("submitted")
        task = self.board.finish(end, now)
        assert isinstance(task, Task)
        if not holds:
            self.shows(document, task)
            known = self.stored.get(lease_id, [])
            assert submitted == [task_id for task_id in known if task_id in self.board.tasks]
            return multiple()
        made = self._made(asked, submitted, now)
        self.shows(document, task)
        self.stored[lease_id] = submitted
        return multiple(*made)

    def _end(
        self, process: int, lease_id: str, finish: Document, is_among_many: bool
    ) -> tuple[Any, Between]:
        if is_among_many:
            body: Document = {"items": [{"lease_id": lease_id, **finish}]}
            return self.ask(process, "POST", "/leases/finish", json=body)
        body = {name: value for name, value in finish.items() if name != "outcome"}
        return self.ask(process, "POST", f"/leases/{lease_id}/{finish['outcome']}", json=body)

    def _refused(
        self, end: Finish, asked: list[Document], now: Between, *, holds: bool
    ) -> Refused | None:
        """What is stored is stored after the end."""
        board = deepcopy(self.board)
        ended = board.finish(end, now)
        if isinstance(ended, Refused):
            return ended
        if not holds:
            return None
        if refused := board.flows.refused(asked):
            return refused
        found = board.submit(asked, now)
        return found if isinstance(found, Refused) else None

    def _made(self, asked: list[Document], submitted: list[int], now: Between) -> list[int]:
        """The new ones among them."""
        found = self.board.submit(asked, now)
        assert not isinstance(found, Refused)
        made = [*dict.fromkeys(task for task in found if not task.id)]
        for task, task_id in zip(found, submitted, strict=True):
            task.shown["id"] = task.id or task_id
            assert task.id == task_id
        self.board.store(made)
        self.board.link(asked, found, now)
        self.touched.update(submitted)
        return [task.id for task in made]
