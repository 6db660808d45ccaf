"""The model of the platform: all tasks, and what is told of them together."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app.domain.states import Event, Outcome, Status, allows
from tests.model.calls import FINISHES, Finish, Keyed, Refused
from tests.model.flows import Flows
from tests.model.history import History
from tests.model.lists import Filter, matches
from tests.model.moments import Between, Moment, bounds, earlier, first, has_come
from tests.model.schedules import Schedule
from tests.model.tasks import DEFAULTS, RETENTION_DAYS, Lease, Task
from tests.support.calls import Document

DAY = 86_400
LOCKED_ONCE_RUNNING = (
    "timeout_seconds",
    "retry_limit",
    "retry_delay_seconds",
    "retry_backoff",
    "payload",
)


# Held to by tests of their own (`tests/integration/groups`).
NO_LIMITS: Final[Document] = {
    **dict.fromkeys(("running", "running_per_group", "rate", "rate_per_group")),
    "fair": False,
}


class Board:
    """Everything the platform knows."""

    def __init__(self) -> None:
        self.tasks: dict[int, Task] = {}
        self.flows = Flows(self.tasks)
        self.schedules: dict[str, Schedule] = {}
        self.paused: dict[str, Moment] = {}
        # What was set for a queue, as it is shown.
        self.settings: dict[str, Document] = {}
        self.keys: dict[str, Keyed] = {}
        self.history = History()
        # Since when Redis remembers things, as far as the sweep of leases knows.
        self.remembers_since: Moment | None = None

    def submit(self, asked: Sequence[Document], now: Between) -> list[Task] | Refused:
        """New tasks, which have no id yet; and where the unique key is held, who holds it."""
        if refused := first_of(self._refused(fields) for fields in asked):
            return refused
        found: list[Task] = []
        for fields in asked:
            task = self.holder_of(fields, found)
            if task is None:
                task = Task.submitted(fields, now, self.history)
            elif replaces(fields["unique"]):
                task.replace(now, fields)
            found.append(task)
        return found

    def holder_of(self, fields: Document, more: Sequence[Task] = ()) -> Task | None:
        """Who holds the unique key that is asked for."""
        key = fields["unique"]["key"] if "unique" in fields else None
        queue = fields.get("queue", "default")
        for task in (*self.tasks.values(), *more):
            if task.holds and (task.shown["queue"], task.shown["unique_key"]) == (queue, key):
                return task
        return None

    def _refused(self, fields: Document) -> Refused | None:
        holder = self.holder_of(fields)
        if holder is None:
            return None
        facts = {"task_id": holder.id, "task_status": holder.status}
        unique, retries = fields["unique"], holder.shown["current_retry_count"]
        if unique.get("conflict") == "reject":
            return Refused(409, {**facts, "unique_key": unique["key"]})
        if replaces(unique) and holder.status is Status.IN_PROGRESS:
            return Refused(409, {**facts, "unique_key": unique["key"]})
        if replaces(unique) and fields.get("retry_limit", DEFAULTS["retry_limit"]) < retries:
            return Refused(409, {"task_id": holder.id, "current_retry_count": retries})
        return None

    def store(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            assert task.id not in self.tasks
            self.tasks[task.id] = task

    def link(self, asked: Sequence[Document], tasks: Sequence[Task], now: Between) -> None:
        """New tasks that are stored depend on what they name."""
        refs = {f["ref"]: t.id for f, t in zip(asked, tasks, strict=True) if "ref" in f}
        for fields, task in zip(asked, tasks, strict=True):
            self.flows.begin(fields, task, refs, now)

    def known(self, key: str) -> Keyed | None:
        """What a key stands for: it goes with the last of its tasks."""
        found = self.keys.get(key)
        if found is None:
            return None
        ids = [task_id for task_id in found.ids if task_id in self.tasks]
        return Keyed(found.body, ids) if ids else None

    def of(self, task_id: int) -> Task | Refused:
        return self.tasks.get(task_id) or Refused(404, {"task_id": task_id})

    def patch(self, task_id: int, changes: Document, now: Between) -> Task | Refused:
        task = self.of(task_id)
        if isinstance(task, Refused):
            return task
        facts = {"task_id": task_id, "task_status": task.status}
        if task.status not in {Status.TO_DO, Status.RETRYING, Status.PAUSED}:
            for name in LOCKED_ONCE_RUNNING:
                if name in changes:
                    return Refused(409, {**facts, "field": name})
        retries = task.shown["current_retry_count"]
        if changes.get("retry_limit", retries) < retries:
            return Refused(409, {"task_id": task_id, "current_retry_count": retries})
        task.patch(now, changes)
        return task

    def claimable(self, queues: Sequence[str]) -> list[Task]:
        """In the order in which they are handed out."""
        return [
            task
            for queue in dict.fromkeys(queues)
            if queue not in self.paused
            for task in sorted(self._waiting(queue), key=partial(Task.turn, ages=self.ages(queue)))
        ]

    def settings_of(self, queue: str) -> Document:
        """As they are shown."""
        unset: Document = {"queue": queue, **NO_LIMITS, "ageing_seconds": None, "in_force_at": None}
        return self.settings.get(queue, unset)

    def ages(self, queue: str) -> Mapping[str, int]:
        """How many seconds later its tasks count as having come, by priority."""
        return self.settings_of(queue)["ageing_seconds"] or {}

    def holder(self, lease_id: str) -> Task | Refused:
        """The task that the lease holds."""
        task = self.of(task_of(lease_id))
        if isinstance(task, Refused) or (task.lease is not None and task.lease.id == lease_id):
            return task
        facts = {"task_id": task.id, "task_status": task.status}
        if lease_id in task.outcomes:
            facts["outcome"] = task.outcomes[lease_id]
        return Refused(409, facts)

    def held(self) -> list[str]:
        """The leases of the attempts under way."""
        return [lease.id for _, lease in self._leases()]

    def finish(self, finish: Finish, now: Between) -> Task | Refused:
        task = self.holder(finish.lease_id)
        if isinstance(task, Refused):
            # Told once more what it was told before.
            is_again = task.facts.get("outcome") == FINISHES[finish.outcome]
            return self.tasks[task.facts["task_id"]] if is_again else task
        if finish.outcome == "complete":
            task.complete(now, finish.result)
        elif finish.outcome == "release":
            task.release(now, finish.delay_seconds or 0, finish.reason)
        else:
            task.fail(
                now,
                Event.FAIL if finish.retryable else Event.FAIL_FOR_GOOD,
                outcome=Outcome.FAILED,
                error=finish.error,
                retry_after_seconds=finish.retry_after_seconds,
            )
        return task

    def intervene(self, task_id: int, event: Event, now: Between) -> Task | Refused:
        task = self.of(task_id)
        if isinstance(task, Refused):
            return task
        if not allows(task.status, event):
            return Refused(409, {"task_id": task_id, "task_status": task.status})
        if event is Event.RETRY and (refused := self.flows.retry(task)):
            return refused
        {
            Event.PAUSE: task.pause,
            Event.RESUME: task.resume,
            Event.CANCEL: task.cancel,
            Event.RETRY: task.retry,
        }[event](now)
        return task

    def matching(self, wanted: Filter) -> list[Task]:
        """The oldest first."""
        found = [task for task in self.tasks.values() if matches(task.shown, wanted)]
        return sorted(found, key=lambda task: task.place)

    def promote(self, now: Between) -> list[Task]:
        due = [
            task
            for task in self.tasks.values()
            if task.status in {Status.TO_DO, Status.RETRYING}
            and not task.is_claimable
            and not task.waits_for_tasks
            and has_come(task.shown["available_at"], now)
        ]
        for task in due:
            task.promote(now)
        return due

    def time_out(self, now: Between) -> list[Task]:
        late = [task for task, lease in self._leases() if has_come(lease.deadline, now)]
        for task in late:
            error = f"timed out after {task.shown['timeout_seconds']} s"
            task.fail(now, Event.TIME_OUT, outcome=Outcome.TIMED_OUT, error=error)
        return late

    def lose_leases(self, now: Between) -> list[Task]:
        """Lost needs proof: not heard of, by a Redis that remembers for longer than the lease."""
        if self.remembers_since is None:
            self.remembers_since = now
        lost = []
        for task, lease in self._leases():
            if has_come(lease.deadline, now) or not has_come(lease.look_at, now):
                continue
            assert lease.seconds is not None
            proven_at = bounds(self.remembers_since).plus(lease.seconds)
            if lease.heard_until is not None and not has_come(lease.heard_until, now):
                lease.look_at = lease.heard_until
            elif has_come(proven_at, now):
                error = f"no heartbeat from the worker for {lease.seconds} s"
                task.fail(now, Event.LOSE, outcome=Outcome.LOST, error=error)
                lost.append(task)
            else:
                lease.look_at = first(proven_at.plus(0.1, 0.2), lease.deadline)
        return lost

    def delete_old(self, now: Between) -> list[Task]:
        old = [
            task
            for task in self.tasks.values()
            if task.status in {Status.DONE, Status.FAILED, Status.CANCELLED}
            and has_come(bounds(task.shown["updated_at"]).plus(RETENTION_DAYS * DAY), now)
            and not self.flows.is_needed(task)
        ]
        for task in old:
            del self.tasks[task.id]
        return old

    def empty_redis(self) -> None:
        self.remembers_since = None
        for _, lease in self._leases():
            lease.heard_until = lease.progress = None

    def elapse(self, seconds: float) -> None:
        shift = timedelta(seconds=seconds)
        for task in self.tasks.values():
            task.elapse(shift)
        for schedule in self.schedules.values():
            schedule.elapse(shift)
        self.history.ended = [one._replace(at=earlier(one.at, shift)) for one in self.history.ended]
        self.paused = {queue: earlier(at, shift) for queue, at in self.paused.items()}
        for settings in self.settings.values():
            settings["in_force_at"] = earlier(settings["in_force_at"], shift)
        if self.remembers_since is not None:
            self.remembers_since = earlier(self.remembers_since, shift)

    def moments(self, now: datetime) -> Iterator[Moment]:
        """When something changes by itself, around now at least."""
        for task in self.tasks.values():
            yield from task.moments()
        for schedule in self.schedules.values():
            yield from schedule.moments(now)
        for one in self.history.ended:
            yield one.forgotten_at
        if self.remembers_since is not None:
            for seconds in {lease.seconds for _, lease in self._leases()} - {None}:
                yield bounds(self.remembers_since).plus(seconds or 0)

    def _waiting(self, queue: str) -> list[Task]:
        return [
            task
            for task in self.tasks.values()
            if task.is_claimable and task.shown["queue"] == queue
        ]

    def _leases(self) -> list[tuple[Task, Lease]]:
        return [(task, task.lease) for task in self.tasks.values() if task.lease is not None]


def replaces(unique: Document) -> bool:
    """Whether who holds the key is changed."""
    return unique.get("conflict") == "replace" or "debounce_seconds" in unique


def first_of(found: Iterator[Refused | None]) -> Refused | None:
    return next((one for one in found if one is not None), None)


def task_of(lease_id: str) -> int:
    """The task's id is the part before the point."""
    return int(lease_id.partition(".")[0])
