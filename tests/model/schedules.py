"""The model of a recurring schedule: when it occurs, and what becomes of each occurrence, written
down once more, from the contract. Intervals only: what a wall clock shows is another matter."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile

from tests.model.moments import Between, Moment, bounds, earlier, has_come, same
from tests.model.tasks import DEFAULTS
from tests.model.values import meant
from tests.support.calls import Document

LATE_SECONDS = 10
CATCH_UP_LIMIT = 1000
UNLESS_SAID: Document = {
    "cron": None,
    "timezone": "UTC",
    "catch_up": "one",
    "overlap": "skip",
    "jitter_seconds": 0,
    "starts_at": None,
    "ends_at": None,
}
TIMES = ("starts_at", "ends_at", "paused_at", "next_at", "created_at", "updated_at")


class Schedule:
    """One schedule. `shown` is its document, but for the task, which is `template`. Between two
    looks at it `next_at` is all that counts: what came before is decided."""

    def __init__(self, name: str, now: Between) -> None:
        self.shown: Document = {
            "name": name,
            "paused_at": None,
            "last_task_id": None,
            "revision": 0,
            "created_at": now,
        }
        self.template: Document = {}
        # How it was put, as that was sent.
        self.said: Document = {}
        # What came of its occurrences, as documents.
        self.runs: list[Document] = []

    @property
    def name(self) -> str:
        return str(self.shown["name"])

    def is_changed_by(self, said: Document) -> bool:
        """The same again changes nothing."""
        return not same([*self._meant(said)], [self.shown, self.template])

    def put(self, said: Document, now: Between) -> None:
        if self.is_changed_by(said):
            self.shown, self.template = self._meant(said)
            self.said = said
            self._change(now)

    def pause(self, now: Between) -> None:
        if self.shown["paused_at"] is None:
            self.shown["paused_at"] = now
            self._change(now)

    def resume(self, now: Between) -> None:
        if self.shown["paused_at"] is not None:
            self.shown["paused_at"] = None
            self._change(now)

    def count_from(self, changed_at: datetime) -> None:
        """It was changed then, to the microsecond: what occurred up to that is left out."""
        if isinstance(self.shown["created_at"], Between):  # then it was made, too
            self.shown["created_at"] = changed_at
        is_paused = self.shown["paused_at"] is not None
        self.shown["next_at"] = None if is_paused else next(self.after(changed_at), None)

    def run_by_hand(self, at: datetime, task_id: int, now: Between) -> Document:
        run = _run(at, now, "submitted") | {"kind": "manual", "task_id": task_id}
        self.runs.append(run)
        return run

    def fire(self, now: Between, *, is_open: bool) -> list[Document]:
        """What becomes of the occurrences that have come, oldest first. `is_open`: the task of the
        last one that ran has not ended. The tasks of those that run have no id yet."""
        upcoming = self._from_next()
        due = list(takewhile(lambda at: has_come(at, now), upcoming))
        if not due:
            return []
        self.shown["next_at"] = next(self.after(due[-1]), None)
        missed = [at for at in due if has_come(_border(at), now)]
        kept = {"none": 0, "one": 1, "all": CATCH_UP_LIMIT}[self.shown["catch_up"]]
        skipped = missed[: max(len(missed) - kept, 0)]
        runs = []
        if skipped:
            runs.append(_run(skipped[-1], now, "skipped_late", skipped=len(skipped)))
        for at in due[len(skipped) :]:
            leaves_out = is_open and self.shown["overlap"] == "skip"
            runs.append(_run(at, now, "skipped_overlap" if leaves_out else "submitted"))
            is_open = True
        self.runs += runs
        return runs

    def body(self) -> Document:
        """What has to be sent now for the same schedule."""
        times = {name: self.shown[name] for name in ("starts_at", "ends_at") if name in self.said}
        return {**self.said, **{name: at and f"{at.isoformat()}Z" for name, at in times.items()}}

    def task(self, occurrence: datetime) -> Document:
        """What it submits for an occurrence."""
        at = f"{occurrence.isoformat()}Z"
        task = {**self.template, "origin": {"schedule": self.name, "occurrence_at": at}}
        del task["unique"]
        unique = self.said["task"].get("unique")
        return task if unique is None else {**task, "unique": unique}

    def moments(self, now: datetime) -> Iterator[Moment]:
        """Of its occurrences those around now, and when each of them is missed."""
        upcoming = self.shown["next_at"]
        if upcoming is None:
            return
        turns = max((now - upcoming) // self._interval, 0)
        for at in (upcoming + turns * self._interval, upcoming + (turns + 1) * self._interval):
            yield from (at, _border(at))

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The occurrences after a moment, one by one."""
        at = self.shown["starts_at"] or self.shown["created_at"].replace(microsecond=0)
        if at <= moment:
            at += ((moment - at) // self._interval + 1) * self._interval
        while self.shown["ends_at"] is None or at <= self.shown["ends_at"]:
            yield at
            at += self._interval

    def elapse(self, shift: timedelta) -> None:
        """So much time has passed."""
        for document in (self.shown, *self.runs):
            for name in (*TIMES, "occurrence_at", "fired_at"):
                if document.get(name) is not None:
                    document[name] = earlier(document[name], shift)

    @property
    def _interval(self) -> timedelta:
        return timedelta(seconds=self.shown["interval_seconds"])

    def _meant(self, said: Document) -> tuple[Document, Document]:
        asked = meant(said)
        task = {**DEFAULTS, **meant(asked.pop("task"))}
        del task["available_at"]
        task["unique"] = _whole(task.get("unique"))
        return {**self.shown, **UNLESS_SAID, **asked}, task

    def _change(self, now: Between) -> None:
        """`count_from` follows, once it is known when this was."""
        self.shown |= {"revision": self.shown["revision"] + 1, "updated_at": now, "next_at": None}

    def _from_next(self) -> Iterator[datetime]:
        if self.shown["next_at"] is not None:
            yield self.shown["next_at"]
            yield from self.after(self.shown["next_at"])


def _whole(unique: Document | None) -> Document | None:
    """As it is shown."""
    if unique is None:
        return None
    conflict = None if "debounce_seconds" in unique else "keep"
    debounce = dict.fromkeys(("debounce_seconds", "debounce_limit_seconds"))
    whole = {"key": unique["key"], "while": "waiting", "conflict": conflict, **debounce}
    return whole | unique


def _border(at: datetime) -> Between:
    """After this an occurrence that nobody has looked at is missed."""
    return bounds(at).plus(LATE_SECONDS)


def _run(at: datetime, now: Between, outcome: str, *, skipped: int = 0) -> Document:
    run = {"occurrence_at": at, "kind": "due", "outcome": outcome, "fired_at": now}
    return {**run, "skipped": skipped, "task_id": None}
