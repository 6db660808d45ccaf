"""What management does, and what it sees."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.api.fields import MAX_ID
from app.domain.states import Event, Status, allows
from tests.model import figures, values
from tests.model.calls import Refused
from tests.model.lists import Filter, sent
from tests.model.machine import Machine
from tests.model.moments import Between, agree
from tests.model.tasks import Task
from tests.support.calls import Document, problem

DELETE = "delete"
AGE = "oldest_waiting_seconds"


class AdminRules(Machine):
    """Pause, resume, cancel, retry; queues; figures."""

    @rule(
        process=values.processes,
        pick=values.picks,
        action=values.actions,
        anywhere=st.sampled_from([False, False, True]),
    )
    def intervene(self, process: int, pick: int, action: Event, anywhere: bool) -> None:
        """Where the state allows it, or anywhere."""
        self.settle()
        tasks = self.board.matching({})
        fit = [task for task in tasks if allows(task.status, action)]
        ids = [task.id for task in (not anywhere and fit) or tasks] or [MAX_ID]
        task_id = ids[pick % len(ids)]
        answer, now = self.ask(process, "POST", f"/admin/tasks/{task_id}/{action}")
        self.answers(answer, self.board.intervene(task_id, action, now))

    @rule(
        process=values.processes,
        action=st.one_of(values.actions, st.just(DELETE)),
        wanted=values.filters,
        limits=st.lists(st.sampled_from([1, 2, 4]), max_size=2),
        expected=st.sampled_from([None, None, 1, 100]),
    )
    def act_on_all(
        self,
        process: int,
        action: str,
        wanted: Filter,
        limits: list[int],
        expected: int | None,
    ) -> None:
        """Pages of these limits, the rest at once; each is counted first."""
        self.settle()
        wanted = self.resolved(wanted)
        params = sent(wanted)
        left = self.board.matching(wanted)
        if not wanted:
            answer, _ = self.ask(process, "POST", f"/admin/tasks/{action}", params=params)
            problem(answer, 422, "query")
            return
        for limit in (*limits, None):
            page, left = left[:limit], left[len(left[:limit]) :]
            asked = params if limit is None else {**params, "limit": limit}
            self._count(process, action, asked, page, is_exact=not left)
            if expected is not None and len(page) + len(left) > expected:
                asked = {**asked, "expect_at_most": expected}
                answer, _ = self.ask(process, "POST", f"/admin/tasks/{action}", params=asked)
                problem(answer, 409)
                return
            answer, now = self.ask(process, "POST", f"/admin/tasks/{action}", params=asked)
            changed = [task for task in page if self._change(task, action, now)]
            document = answer.json()
            following = document.pop("next")
            assert document == {"matched": len(page), "changed": len(changed)}
            assert (following is not None) == bool(left)
            self.touched.update(task.id for task in changed)
            if not left:
                return
            params = {**params, "after": following}

    def _count(
        self, process: int, action: str, asked: Document, page: list[Task], *, is_exact: bool
    ) -> None:
        params = {**asked, "dry_run": "true"}
        answer, _ = self.ask(process, "POST", f"/admin/tasks/{action}", params=params)
        document = answer.json()
        by_status = Counter(task.status for task in page)
        assert (document["matched"], document["changed"]) == (len(page), 0)
        assert (document["by_status"], document["is_exact"]) == (by_status, is_exact)
        assert set(document["to"]) == {s for s in by_status if self._changes(s, action)}

    def _change(self, task: Task, action: str, now: Between) -> bool:
        if action == DELETE:
            del self.board.tasks[task.id]
            return True
        return not isinstance(self.board.intervene(task.id, Event(action), now), Refused)

    def _changes(self, status: str, action: str) -> bool:
        return action == DELETE or allows(Status(status), Event(action))

    @rule(process=values.processes, queue=values.queues, is_paused=st.booleans())
    def pause_or_resume_queue(self, process: int, queue: str, is_paused: bool) -> None:
        action = "pause" if is_paused else "resume"
        answer, now = self.ask(process, "POST", f"/admin/queues/{queue}/{action}")
        assert answer.status_code == 200, answer.text
        paused_at = self.board.paused.pop(queue, now) if is_paused else None
        expected: Document = {"queue": queue, "paused": is_paused, "paused_at": paused_at}
        agree(expected, answer.json())
        self.board.paused.pop(queue, None)
        if is_paused:
            self.board.paused[queue] = expected["paused_at"]

    @rule(process=values.processes, is_folded=st.booleans())
    def count_up(self, process: int, is_folded: bool) -> None:
        """The figures; and nothing is left over, neither in the counters nor in Redis."""
        if is_folded:
            self.world.sweep("fold_counters")
        answer, _ = self.ask(process, "GET", "/tags")
        assert answer.json() == figures.tags(self.board)
        answer, now = self.ask(process, "GET", "/stats")
        self._stand(answer.json()["queues"], now)
        answer, now = self.ask(process, "GET", "/admin/queues")
        self._stand(answer.json(), now)
        # Time passes by moving what has happened; what was counted stays where it is.
        answer, _ = self.ask(process, "GET", "/stats/history", params={"minutes": 20_160})
        assert figures.summed(answer.json()) == figures.history(self.board)
        assert self.world.recount() == {}
        assert self.world.leases() <= set(self.board.held())

    def _stand(self, found: Sequence[Document], now: Between) -> None:
        """As the queues do."""
        for expected, document in zip(figures.queues(self.board, now), found, strict=True):
            queue = expected["queue"]
            agree(expected, {name: document[name] for name in document if name != AGE})
            tasks = [t for t in self.board.tasks.values() if t.shown["queue"] == queue]
            if (since := figures.oldest(tasks)) is None:
                assert document[AGE] is None
            else:
                least, most = (now.since - since.until, now.until - since.since)
                assert least.total_seconds() <= document[AGE] <= most.total_seconds()
