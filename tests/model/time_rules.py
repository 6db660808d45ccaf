"""What time does: the sweeps."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import values
from tests.model.moments import Between
from tests.model.schedule_rules import ScheduleRules
from tests.model.tasks import Task


class TimeRules(ScheduleRules):
    """Time passes, and the scheduler sweeps."""

    @rule(sweep=st.sampled_from(["promote", "time_out", "lost_leases", "retention", "waits"]))
    def sweep(self, sweep: str) -> None:
        self.settle()
        self.process = None
        began = self.world.now
        moved = self.world.sweep(sweep)
        now = self.now = self.world.since(began)
        sweeps: dict[str, Callable[[Between], list[Task]]] = {
            "promote": self.board.promote,
            "time_out": self.board.time_out,
            "lost_leases": self.board.lose_leases,
            "retention": self.board.delete_old,
            "waits": self._end_waits,
        }
        expected = sweeps[sweep](now)
        assert moved == len(expected)
        self.touched.update(task.id for task in expected)

    @rule(
        seconds=values.passing,
        redis_is_emptied=st.sampled_from([False, False, False, True]),
        is_swept=st.sampled_from([True, True, True, False]),
    )
    def time_passes(self, seconds: int, redis_is_emptied: bool, is_swept: bool) -> None:
        """With a scheduler, or without one."""
        if redis_is_emptied:
            self.settle()
            self.world.redis.flushall()
            self.board.empty_redis()
        self.elapse(seconds)
        if is_swept:
            for sweep in ("time_out", "lost_leases", "waits", "promote"):
                self.sweep(sweep)
            self.fire()

    def _end_waits(self, now: Between) -> list[Task]:
        cancelled, freed = self.board.flows.end_waits(now)
        self.touched.update(task.id for task in freed)
        return cancelled
