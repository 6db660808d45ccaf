"""Rows by state, as the service would have left them. Times follow from the state."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.recurrence import Recurrence
from app.domain.schedule import text_of
from app.domain.states import RANK, Priority, Status
from app.mysql.schema import CounterDelta, Schedule, ScheduleRun, Tag, Task, TaskTag
from app.queue.figures.counters import count, ended
from tests.support.rows import a_new_task


class FactorySession:
    """The session of the running test."""

    current: Session | None = None

    @classmethod
    def configure(cls, session: Session | None) -> None:
        cls.current = session

    @classmethod
    def get(cls) -> Session:
        assert cls.current is not None, "use the `session` fixture"
        return cls.current


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class TaskFactory(factory.alchemy.SQLAlchemyModelFactory):
    """A task in `to_do`, created a minute ago; its traits are the other states."""

    class Meta:
        model = Task
        sqlalchemy_session_factory = FactorySession.get
        sqlalchemy_session_persistence = "commit"

    class Params:
        in_progress = factory.Trait(
            status=Status.IN_PROGRESS,
            attempt=1,
            worker="factory-worker",
            claimed_from=Status.TO_DO,
            lease_token=factory.Sequence(lambda n: f"{n:032x}"),
            started_at=factory.LazyFunction(now),
            deadline_at=factory.LazyAttribute(
                lambda t: t.started_at + timedelta(seconds=t.timeout_seconds)
            ),
        )
        overdue = factory.Trait(
            in_progress=True,
            started_at=factory.LazyAttribute(
                lambda t: now() - timedelta(seconds=t.timeout_seconds + 1)
            ),
        )
        heartbeating = factory.Trait(
            in_progress=True,
            lease_seconds=5,
        )
        done = factory.Trait(
            status=Status.DONE,
            attempt=1,
            worker="factory-worker",
            started_at=factory.LazyFunction(now),
            completed_at=factory.LazyFunction(now),
            finish_token=factory.Sequence(lambda n: f"{n:032x}"),
            result='{"ok":true}',
        )
        retrying = factory.Trait(
            status=Status.RETRYING,
            attempt=1,
            current_retry_count=1,
            worker="factory-worker",
            started_at=factory.LazyFunction(now),
            error="it broke",
        )
        failed = factory.Trait(
            status=Status.FAILED,
            attempt=4,
            current_retry_count=3,
            worker="factory-worker",
            started_at=factory.LazyFunction(now),
            error="it broke",
        )
        paused = factory.Trait(status=Status.PAUSED)
        cancelled = factory.Trait(status=Status.CANCELLED)
        delayed = factory.Trait(
            available_at=factory.LazyFunction(lambda: now() + timedelta(hours=1))
        )

    title = factory.Sequence(lambda n: f"task {n}")
    description = None
    status = Status.TO_DO
    priority = Priority.MEDIUM
    queue = "default"
    due_date = None
    timeout_seconds = 300
    retry_limit = 3
    retry_delay_seconds = 5
    retry_backoff = "exponential"
    current_retry_count = 0
    created_at = factory.LazyFunction(lambda: now() - timedelta(minutes=1))
    updated_at = factory.SelfAttribute("created_at")
    turn_at = factory.SelfAttribute("created_at")
    completed_at = None
    available_at = None
    started_at = None
    payload = None
    result = None
    error = None
    attempt = 0
    lease_token = None
    lease_seconds = None
    worker = None
    deadline_at = None
    claimed_from = None
    finish_token = None
    tag_names = None
    flags = 0
    unique_key = None

    @factory.lazy_attribute
    def claim_rank(self) -> int | None:
        is_waiting = self.status in (Status.TO_DO, Status.RETRYING)
        is_due = self.available_at is None or self.available_at <= now()
        return RANK[Priority(self.priority)] if is_waiting and is_due else None

    @factory.lazy_attribute
    def sweep_at(self) -> datetime | None:
        if self.status == Status.IN_PROGRESS:
            if self.lease_seconds is None:
                return self.deadline_at
            return min(self.deadline_at, self.started_at + timedelta(seconds=self.lease_seconds))
        is_waiting = self.status in (Status.TO_DO, Status.RETRYING)
        return self.available_at if is_waiting and self.claim_rank is None else None

    @factory.post_generation
    def tags(self: Task, create: bool, names: list[str] | None, **_: Any) -> None:
        if not names:
            return
        session = FactorySession.get()
        for name in names:
            tag = session.scalar(select(Tag).where(Tag.name == name)) or Tag(name=name)
            session.add(tag)
            session.flush()
            session.add(TaskTag(task_id=self.id, tag_id=tag.id, task_created_at=self.created_at))
        self.tag_names = orjson.dumps(sorted(names)).decode()
        session.commit()

    @classmethod
    def _after_postgeneration(cls, task: Task, create: bool, results: Any = None) -> None:
        super()._after_postgeneration(task, create, results)
        counts: Counter[str] = Counter()
        count(counts, None, task)
        if task.completed_at is not None:
            counts[ended(task.queue, task.completed_at, "done")] += 1
        add_to_counters(counts)


def add_to_counters(counts: Counter[str]) -> None:
    """As the transaction would that caused it."""
    session = FactorySession.get()
    session.add(CounterDelta(deltas=orjson.dumps(counts).decode()))
    session.commit()


def lease_of(task: Task) -> str:
    """The lease id that a worker which holds this task would show."""
    return f"{task.id}.{task.lease_token}"


class ScheduleFactory(factory.alchemy.SQLAlchemyModelFactory):
    """A schedule that occurs each hour, and has just been made. `task` is what it submits."""

    class Meta:
        model = Schedule
        sqlalchemy_session_factory = FactorySession.get
        sqlalchemy_session_persistence = "commit"

    class Params:
        paused = factory.Trait(paused_at=factory.LazyFunction(now), next_at=None)

    name = factory.Sequence(lambda n: f"schedule {n}")
    cron = factory.LazyAttribute(lambda s: None if s.interval_seconds else "0 * * * *")
    interval_seconds = None
    timezone = "UTC"
    catch_up = "one"
    overlap = "skip"
    jitter_seconds = 0
    starts_at = None
    ends_at = None
    paused_at = None
    created_at = factory.LazyFunction(now)
    updated_at = factory.SelfAttribute("created_at")
    considered_at = factory.SelfAttribute("created_at")
    last_task_id = None
    queued_task_id = None
    forgotten_from = None
    forgotten_until = None
    revision = 1

    @factory.lazy_attribute
    def task(self) -> str:
        return text_of(a_new_task(title=self.name))

    @factory.lazy_attribute
    def next_at(self) -> datetime | None:
        recurrence = Recurrence.of(
            cron=self.cron,
            interval_seconds=self.interval_seconds,
            timezone=self.timezone,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            created_at=self.created_at.replace(microsecond=0),
        )
        return recurrence.next_after(self.considered_at)


class ScheduleRunFactory(factory.alchemy.SQLAlchemyModelFactory):
    """An occurrence of a minute ago that was left out."""

    class Meta:
        model = ScheduleRun
        sqlalchemy_session_factory = FactorySession.get
        sqlalchemy_session_persistence = "commit"

    occurrence_at = factory.LazyFunction(lambda: now() - timedelta(minutes=1))
    kind = "due"
    outcome = "skipped_overlap"
    skipped = 0
    task_id = None
    fired_at = factory.SelfAttribute("occurrence_at")
