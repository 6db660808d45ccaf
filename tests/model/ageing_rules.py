"""Queues of which some priorities age, and tasks that are overdue in them."""

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, precondition, rule

from tests.model import values
from tests.model.board import NO_LIMITS
from tests.model.client_rules import ClientRules
from tests.model.moments import agree
from tests.model.worker_rules import WorkerRules
from tests.support.calls import Document

IN_FORCE_SECONDS = 1.25


class AgeingRules(ClientRules, WorkerRules):
    """What is set for queues, and the claims that follow from it."""

    @rule(process=values.processes, queue=values.queues, ages=values.ages)
    def set_queue(self, process: int, queue: str, ages: dict[str, int] | None) -> None:
        """What every process then shows; and in a second it claims by it."""
        path = f"/admin/queues/{queue}/settings"
        answer, _ = self.ask(1 - process, "GET", path)
        agree(self.board.settings_of(queue), answer.json())
        answer, now = self.ask(process, "PUT", path, json={"ageing_seconds": ages})
        assert answer.status_code == 200, answer.text
        self.board.settings[queue] = {
            "queue": queue,
            **NO_LIMITS,
            "ageing_seconds": ages,
            "in_force_at": now.plus(IN_FORCE_SECONDS),
        }
        agree(self.board.settings[queue], answer.json())
        self.world.hear()

    @precondition(lambda self: self.ageing())
    @rule(
        target=ClientRules.tasks,
        process=values.processes,
        pick=values.picks,
        priorities=st.tuples(values.priorities, values.priorities),
        seconds=st.sampled_from([40, 60, 400, 4000]),
        limit=st.sampled_from([1, 2, 3, 100]),
    )
    def overtake(
        self,
        process: int,
        pick: int,
        priorities: tuple[list[str], list[str]],
        seconds: int,
        limit: int,
    ) -> MultipleResults[int]:
        """Some come so much later than others; the next are claimed, each time by another
        process."""
        queue = self.ageing()[pick % len(self.ageing())]
        made: list[int] = []
        for so_many, later in zip(priorities, (seconds, 0), strict=True):
            bodies: list[Document] = [
                {"title": "a task", "queue": queue, "priority": priority} for priority in so_many
            ]
            made += self._submit(process, bodies, key=None, is_batch=True).values
            if later:
                self.elapse(later)
        for each in (process, 1 - process):
            self._claim(each, {"worker": "host-1", "queues": [queue], "limit": limit})
        return multiple(*made)

    def ageing(self) -> list[str]:
        """The queues that age, and are not paused."""
        return sorted(
            q for q in self.board.settings.keys() - self.board.paused.keys() if self.board.ages(q)
        )
