"""The model of a task: what each event makes of it, written down once more, from the contract.

Whether an event may happen at all it asks the one table, `app.domain.states`; what follows it knows
itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.domain.states import ENDED, Event, Outcome, Priority, Status, leads_to
from tests.model.history import Ended, History
from tests.model.moments import (
    Between,
    Moment,
    agree,
    bounds,
    earlier,
    first,
    has_come,
    last,
    same,
)
from tests.support.calls import Document
from tests.support.elapse import moment

RETENTION_DAYS = 1
LONGEST_BACKOFF_SECONDS = 3600
JITTER = 0.1
BEGINNING = bounds(datetime.min)  # noqa: DTZ901

DEFAULTS: Document = {
    "description": None,
    "priority": "中",
    "tags": [],
    "due_date": None,
    "timeout_seconds": 300,
    "retry_limit": 3,
    "queue": "default",
    "payload": None,
    "group": None,
    "available_at": None,
    "retry_delay_seconds": 5,
    "retry_backoff": "exponential",
}
# What it gets from one that replaces it.
REPLACED = (
    *("title", "description", "priority", "tags", "due_date", "timeout_seconds", "payload"),
    *("retry_limit", "retry_delay_seconds", "retry_backoff"),
)
NOT_SHOWN = {"unique", "ref", "depends_on", "on_parent_failure"}
# How long a task of a unique key is put off at most.
LIMITS = (50, 410)
# What is said of a running attempt by `GET /tasks/{id}` alone.
RUNNING = ("deadline_at", "lease_expires_at", "last_heartbeat_at", "progress")
TIMES = ("created_at", "updated_at", "completed_at", "available_at", "started_at")


@dataclass
class Lease:
    """Who holds a task."""

    id: str
    seconds: int | None
    deadline: Moment
    # When the sweep looks whether the worker lives.
    look_at: Moment
    # Until when Redis has heard of it; None: it has not.
    heard_until: Moment | None = None
    progress: Any = None


@dataclass(eq=False)
class Task:
    """One task. `shown` is its document, but that times may not be known exactly."""

    shown: Document
    is_claimable: bool
    history: History
    lease: Lease | None = None
    claimed_from: Status | None = None
    attempts: list[Document] = field(default_factory=list)
    # How the attempt of each lease ended.
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    # While what it holds its unique key.
    holds: str | None = None
    # Whether something that it depends on has not ended, or no sweep has seen that all have.
    waits_for_tasks: bool = False

    @classmethod
    def submitted(cls, asked: Document, now: Between, history: History) -> "Task":
        unique = asked.get("unique") or {}
        shown = {
            "id": 0,
            **DEFAULTS,
            "origin": None,
            **{name: value for name, value in asked.items() if name not in NOT_SHOWN},
            "unique_key": unique.get("key"),
            "status": Status.TO_DO,
            "current_retry_count": 0,
            "created_at": now,
            "updated_at": now,
            "attempt": 0,
            **dict.fromkeys(("completed_at", "started_at", "result", "error", "worker")),
            "traceparent": None,
            **dict.fromkeys(("waiting_on", *RUNNING)),
        }
        history.transitions[None, Event.SUBMIT, Status.TO_DO] += 1
        available_at = shown["available_at"]
        task = cls(shown, available_at is None or has_come(available_at, now), history)
        if unique:
            task.holds = unique.get("while", "waiting")
            task.put_off(now, unique)
        return task

    @property
    def id(self) -> int:
        return int(self.shown["id"])

    @property
    def status(self) -> Status:
        return Status(self.shown["status"])

    @property
    def told(self) -> Document:
        """Its document, with what follows from the rest."""
        waits = self.status in {Status.TO_DO, Status.RETRYING} and not self.is_claimable
        on = "tasks" if self.waits_for_tasks else "time"
        self.shown["waiting_on"] = on if waits else None
        return self.shown

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def place(self) -> tuple[Between, int]:
        """Where it stands in lists; the claim has priorities before it."""
        return bounds(self.shown["created_at"]), self.id

    @property
    def waits_since(self) -> Between:
        """When it could be claimed for the first time."""
        created, available = self.shown["created_at"], self.shown["available_at"]
        return last(created, available or created)

    @property
    def rank(self) -> int:
        return list(Priority).index(self.shown["priority"])

    def turn(self, ages: Mapping[str, int]) -> tuple[bool, Between, int, tuple[Between, int]]:
        """Where it stands in its queue, of which some priorities age: as if it had come so many
        seconds later. Those that have none, though there are some above, come last."""
        seconds = 0 if ages and self.rank == 0 else ages.get(self.shown["priority"])
        came = BEGINNING if seconds is None else bounds(self.shown["created_at"]).plus(seconds)
        return seconds is None, came, self.rank, self.place

    def claim(self, now: Between, *, lease_id: str, worker: str, seconds: int | None) -> None:
        self.claimed_from = self.status
        self._become(Event.CLAIM, Status.IN_PROGRESS, now)
        if self.holds == "waiting":
            self._give_key_back()
        self.is_claimable = False
        self.shown |= {
            "attempt": self.shown["attempt"] + 1,
            "worker": worker,
            "started_at": now,
        }
        deadline = now.plus(self.shown["timeout_seconds"])
        expiry = deadline if seconds is None else first(deadline, now.plus(seconds))
        heard_until = None if seconds is None else now.plus(seconds)
        self.lease = Lease(lease_id, seconds, deadline, expiry, heard_until)

    def heartbeat(self, now: Between, progress: Any) -> Between:
        """Until when it counts."""
        assert self.lease is not None
        lease = self.lease
        expiry = bounds(lease.deadline)
        if lease.seconds is not None:
            expiry = first(expiry, now.plus(lease.seconds))
            if lease.heard_until is None or has_come(lease.heard_until, now):
                lease.look_at = expiry
        # Past its deadline it is remembered for a millisecond.
        lease.heard_until = now.plus(0, 0.001) if has_come(lease.deadline, now) else expiry
        lease.progress = progress
        return expiry

    def complete(self, now: Between, result: Any) -> None:
        self._end_attempt(now, Outcome.DONE, None)
        self._become(Event.COMPLETE, Status.DONE, now)
        self.shown |= {"completed_at": now, "result": result, "error": None}
        self.history.ended.append(Ended(self.shown["queue"], True, now))

    def fail(
        self,
        now: Between,
        event: Event,
        *,
        outcome: Outcome,
        error: str | None,
        retry_after_seconds: int | None = None,
    ) -> None:
        self._end_attempt(now, outcome, error)
        self.history.ended.append(Ended(self.shown["queue"], False, now))
        self.shown["error"] = error
        retries = self.shown["current_retry_count"]
        if event is Event.FAIL_FOR_GOOD or retries == self.shown["retry_limit"]:
            self._become(event, Status.FAILED, now)
            return
        self._become(event, Status.RETRYING, now)
        least, most = self._delay(retries)
        if retry_after_seconds is not None:
            least = most = retry_after_seconds
        self.is_claimable = most == 0
        self.shown |= {"current_retry_count": retries + 1, "available_at": now.plus(least, most)}

    def release(self, now: Between, delay: int, reason: str | None) -> None:
        assert self.claimed_from is not None
        released_before = self.shown["attempt"] - 1 - self.shown["current_retry_count"]
        self._end_attempt(now, Outcome.RELEASED, reason)
        self._become(Event.RELEASE, self.claimed_from, now)
        if reason is not None:
            self.shown["error"] = reason
        if released_before >= 10:
            delay = max(delay, min(2 ** (released_before - 10), 60))
        if delay:
            self.is_claimable = False
            self.shown["available_at"] = now.plus(delay, delay)
        else:
            self._wait_anew(now)

    def pause(self, now: Between) -> None:
        self._become(Event.PAUSE, Status.PAUSED, now)
        self.is_claimable = False

    def resume(self, now: Between) -> None:
        never_ran = self.shown["attempt"] == 0
        self._become(Event.RESUME, Status.TO_DO if never_ran else Status.RETRYING, now)
        self._wait_anew(now)

    def cancel(self, now: Between) -> None:
        if self.lease is not None:
            self._end_attempt(now, Outcome.CANCELLED, None)
        self._become(Event.CANCEL, Status.CANCELLED, now)
        self.is_claimable = False

    def retry(self, now: Between) -> None:
        self._become(Event.RETRY, Status.TO_DO, now)
        self.shown |= {"current_retry_count": 0, "error": None, "available_at": None}
        self._wait_anew(now)

    def promote(self, now: Between) -> None:
        self.is_claimable = True
        self.touch(now)

    def become_free(self, now: Between) -> None:
        """All that it depends on has ended."""
        self.waits_for_tasks = False
        self._wait_anew(now)
        self.is_claimable &= self.status is not Status.PAUSED
        self.touch(now)

    def cascade(self, now: Between, error: str) -> None:
        self._become(Event.CASCADE, Status.CANCELLED, now)
        self.shown["error"] = error

    def patch(self, now: Between, changes: Document) -> None:
        self.shown |= changes
        self.touch(now)

    def replace(self, now: Between, asked: Document) -> None:
        """Another one of its unique key came."""
        self.shown |= {name: asked.get(name, DEFAULTS.get(name)) for name in REPLACED}
        if self.id:
            self.touch(now)
        self.put_off(now, asked["unique"])

    def put_off(self, now: Between, unique: Document) -> None:
        """If it is debounced."""
        if "debounce_seconds" in unique:
            at = now.plus(unique["debounce_seconds"])
            limit = bounds(self.shown["created_at"]).plus(unique["debounce_limit_seconds"])
            self.shown["available_at"] = first(at, limit)
            waits = self.status in {Status.TO_DO, Status.RETRYING}
            self.is_claimable = waits and has_come(limit, now)

    def all_attempts(self) -> list[Document]:
        """With the one that runs."""
        if self.lease is None:
            return self.attempts
        running = {name: self.shown[name] for name in ("attempt", "worker", "started_at")}
        return [*self.attempts, running | dict.fromkeys(("finished_at", "outcome", "error"))]

    def tells_of_the_attempt(self, document: Document, now: Between) -> None:
        """What `GET /tasks/{id}` says of the running attempt."""
        assert same(document["progress"], self._progress(now))
        if self.lease is None:
            assert {document[name] for name in RUNNING} == {None}
            return
        agree({"deadline_at": self.lease.deadline}, {"deadline_at": document["deadline_at"]})
        started_at = bounds(self.shown["started_at"]).since
        expires_at = moment(document["lease_expires_at"])
        assert started_at <= expires_at <= moment(document["deadline_at"])
        if self.lease.seconds is None:
            assert document["lease_expires_at"] == document["deadline_at"]
            assert document["last_heartbeat_at"] is None
        elif document["last_heartbeat_at"] is not None:
            assert started_at <= moment(document["last_heartbeat_at"]) <= now.until

    def _progress(self, now: Between) -> Any:
        lease = self.lease
        if lease is None or lease.heard_until is None or has_come(lease.heard_until, now):
            return None
        return lease.progress

    def moments(self) -> Iterator[Moment]:
        """When, if nobody does anything, something about it changes."""
        if self.status in {Status.DONE, Status.FAILED, Status.CANCELLED}:
            yield bounds(self.shown["updated_at"]).plus(RETENTION_DAYS * 86_400)
        elif self.shown["available_at"] is not None:
            yield self.shown["available_at"]
        if self.holds:
            for seconds in LIMITS:
                yield bounds(self.shown["created_at"]).plus(seconds)
        if self.lease is not None:
            yield from (self.lease.deadline, self.lease.look_at)
            if self.lease.heard_until is not None:
                yield self.lease.heard_until

    def elapse(self, shift: timedelta) -> None:
        """So much time has passed."""
        documents = [self.shown, *self.attempts]
        for document in documents:
            for name in (*TIMES, "finished_at"):
                if document.get(name) is not None:
                    document[name] = earlier(document[name], shift)
        if self.lease is not None:
            self.lease.deadline = earlier(self.lease.deadline, shift)
            self.lease.look_at = earlier(self.lease.look_at, shift)
            if self.lease.heard_until is not None:
                self.lease.heard_until = earlier(self.lease.heard_until, shift)

    def _become(self, event: Event, status: Status, now: Between) -> None:
        assert leads_to(self.status, event, status)
        self.history.transitions[self.status, event, status] += 1
        self.shown["status"] = status
        self.touch(now)
        if status in ENDED:
            self.waits_for_tasks = False
            self._give_key_back()

    def _give_key_back(self) -> None:
        self.holds = self.shown["unique_key"] = None

    def touch(self, now: Between) -> None:
        self.shown["updated_at"] = now.after(self.shown["updated_at"])

    def _wait_anew(self, now: Between) -> None:
        available_at = self.shown["available_at"]
        has_time = available_at is None or has_come(available_at, now)
        if has_time:
            self.shown["available_at"] = now
        self.is_claimable = has_time and not self.waits_for_tasks

    def _delay(self, retries: int) -> tuple[float, float]:
        """The least and the most seconds before the next retry, after so many."""
        seconds = self.shown["retry_delay_seconds"]
        if self.shown["retry_backoff"] == "fixed":
            return seconds, seconds
        factor = retries + 1 if self.shown["retry_backoff"] == "linear" else 2**retries
        grown = min(seconds * factor, max(LONGEST_BACKOFF_SECONDS, seconds))
        return grown * (1 - JITTER), grown * (1 + JITTER)

    def _end_attempt(self, now: Between, outcome: Outcome, error: str | None) -> None:
        assert self.lease is not None
        self.outcomes[self.lease.id] = outcome
        self.attempts.append(
            {
                "attempt": self.shown["attempt"],
                "worker": self.shown["worker"],
                "started_at": self.shown["started_at"],
                "finished_at": now,
                "outcome": outcome,
                "error": error,
            }
        )
        self.lease = None
