"""What has to hold afterwards, by the clients' ledger, the workers' notes and MySQL."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from app.domain.states import TRANSITIONS
from tests.trials.chaos.clients import Ledger

SHOWN = 5
ENDED = ("done", "failed", "cancelled")
COUNTED = ("failed", "timed_out", "lost")


class Check(NamedTuple):
    """A promise, how often it was looked at, and where it did not hold."""

    promise: str
    looked_at: int
    broken: list[str]


class Evidence:
    """All that is known."""

    def __init__(
        self, connection: Connection, ledger: Ledger, notes: Sequence[Mapping[str, Any]]
    ) -> None:
        self.ledger = ledger
        self.notes = notes
        self.tasks = {
            row.id: row
            for row in connection.execute(
                text(
                    "SELECT id, title, status, attempt, current_retry_count, retry_limit, "
                    "claim_rank, sweep_at, deadline_at, lease_token, completed_at, origin, "
                    "finish_token "
                    "FROM tasks"
                )
            )
        }
        self.attempts: dict[int, list[Any]] = defaultdict(list)
        for row in connection.execute(
            text(
                "SELECT task_id, attempt, outcome, lease_token FROM task_attempts "
                "ORDER BY task_id, attempt"
            )
        ):
            self.attempts[row.task_id].append(row)


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every promise."""
    yield _acknowledged(evidence)
    yield _once(evidence)
    yield _deleted(evidence)
    yield _one_holder(evidence)
    yield _handed_out(evidence)
    yield _same_answer(evidence)
    yield _completed(evidence)
    yield _retries(evidence)
    yield _attempts(evidence)
    yield _steps(evidence)
    yield _nothing_left(evidence)
    yield _kept_by_the_well(evidence)
    yield Check(
        "what was acknowledged is what is read after it",
        evidence.ledger.reads_after_write,
        evidence.ledger.stale,
    )
    yield Check(
        "no answer but those that the contract names",
        sum(evidence.ledger.answers.values()),
        evidence.ledger.unexpected,
    )


def _acknowledged(evidence: Evidence) -> Check:
    ledger = evidence.ledger
    broken = [
        f"task {task_id} ({key}): {found.status if found else 'is not there'}"
        for task_id, key in ledger.acknowledged.items()
        if task_id not in ledger.perhaps_deleted
        and ((found := evidence.tasks.get(task_id)) is None or found.status not in ENDED)
    ]
    return Check(
        "every task acknowledged with 201 is there and has ended", len(ledger.acknowledged), broken
    )


def _once(evidence: Evidence) -> Check:
    # A client's title is its key: of a second task nobody need have been told.
    ids_of: dict[str, set[int]] = defaultdict(set)
    for task in evidence.tasks.values():
        if task.origin is None:
            ids_of[task.title].add(task.id)
    for key, ids in evidence.ledger.keys_of.items():
        ids_of[key] |= ids
    broken = [f"key {key}: tasks {sorted(ids)}" for key, ids in ids_of.items() if len(ids) > 1]
    return Check("a key makes one task, however often it is sent", len(ids_of), broken)


def _deleted(evidence: Evidence) -> Check:
    deleted = evidence.ledger.deleted
    broken = [f"task {task_id} is there" for task_id in deleted & evidence.tasks.keys()]
    return Check("what was deleted is gone", len(deleted), broken)


def _one_holder(evidence: Evidence) -> Check:
    holders: dict[tuple[int, int], set[str]] = defaultdict(set)
    for note in evidence.notes:
        if note["status"] == 200 and note["ending"] != "claim":
            holders[note["task"], note["attempt"]].add(note["lease"])
    broken = [f"task {t}, attempt {a}: {sorted(s)}" for (t, a), s in holders.items() if len(s) > 1]
    return Check("no attempt is finished by two holders", len(holders), broken)


def _handed_out(evidence: Evidence) -> Check:
    leases: dict[tuple[int, int], set[str]] = defaultdict(set)
    for note in evidence.notes:
        leases[note["task"], note["attempt"]].add(note["lease"])
    broken = [f"task {t}, attempt {a}: {sorted(s)}" for (t, a), s in leases.items() if len(s) > 1]
    return Check("no attempt is handed out to two workers", len(leases), broken)


def _same_answer(evidence: Evidence) -> Check:
    answers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for note in evidence.notes:
        if note["ending"] != "claim" and note["task"] in evidence.tasks:
            answers[note["lease"], note["ending"]].append(note["status"])
    told_again = {place: told for place, told in answers.items() if len(told) > 1}
    broken = [f"{place}: {told}" for place, told in told_again.items() if len({*told}) > 1]
    return Check("the same finish again gets the same answer", len(told_again), broken)


def _completed(evidence: Evidence) -> Check:
    accepted = [n for n in evidence.notes if n["status"] == 200 and n["ending"] == "complete"]
    broken = [
        f"task {note['task']}: completed in attempt {note['attempt']}, and now {task.status} "
        f"in attempt {task.attempt}"
        for note in accepted
        if (task := evidence.tasks.get(note["task"])) is not None
        and (task.status, task.attempt) != ("done", note["attempt"])
    ]
    return Check("what a worker was told is done is done, by its attempt", len(accepted), broken)


def _retries(evidence: Evidence) -> Check:
    broken = []
    for task in evidence.tasks.values():
        outcomes = Counter(attempt.outcome for attempt in evidence.attempts[task.id])
        failures = sum(outcomes[outcome] for outcome in COUNTED)
        # The failure that ended it is no retry.
        expected = failures - (task.status == "failed")
        if task.current_retry_count != expected or expected > task.retry_limit:
            broken.append(
                f"task {task.id}, {task.status}: count {task.current_retry_count} of "
                f"{task.retry_limit}, attempts {dict(outcomes)}"
            )
    return Check(
        "current_retry_count is the counted failures, and within its limit",
        len(evidence.tasks),
        broken,
    )


def _attempts(evidence: Evidence) -> Check:
    broken = []
    for task in evidence.tasks.values():
        numbers = [attempt.attempt for attempt in evidence.attempts[task.id]]
        if task.status == "done":
            numbers.append(task.attempt)
        if numbers != list(range(1, task.attempt + 1)):
            broken.append(f"task {task.id}, {task.status}, attempt {task.attempt}: {numbers}")
    return Check(
        "every attempt has one row, or is the one that is done", len(evidence.tasks), broken
    )


def _steps(evidence: Evidence) -> Check:
    reachable = _reachable()
    broken, steps = [], 0
    for task_id, sights in evidence.ledger.seen.items():
        ordered = sorted(sights)
        for before, after in pairwise(ordered):
            steps += 1
            is_legal = after.status in reachable[before.status] and after.attempt >= before.attempt
            # Two faces of one moment are none at all.
            if not is_legal or before.updated_at == after.updated_at:
                broken.append(f"task {task_id}: {before} and then {after}")
    return Check("what was seen over HTTP follows by legal transitions", steps, broken)


def _kept_by_the_well(evidence: Evidence) -> Check:
    """Patient workers are never stopped, and heard by any API that is there."""
    claimed = {
        (note["task"], note["attempt"])
        for note in evidence.notes
        if note["ending"] == "claim" and note["worker"].endswith("patient")
    }
    broken = [
        f"task {task_id}, attempt {row.attempt}: {row.outcome}"
        for task_id, rows in evidence.attempts.items()
        for row in rows
        if (task_id, row.attempt) in claimed and row.outcome in COUNTED
    ]
    return Check("a worker that was well loses no attempt to an outage", len(claimed), broken)


def _reachable() -> dict[str, set[str]]:
    steps: dict[str, set[str]] = defaultdict(set)
    for transition in TRANSITIONS:
        # Nobody retries by hand here.
        if transition.source is not None and transition.event != "retry":
            steps[transition.source].add(str(transition.target))
    reached = {str(status): {str(status)} | steps[status] for status in steps} | {
        status: {status} for status in ENDED
    }
    while True:
        grown = {s: {t for via in targets for t in reached[via]} for s, targets in reached.items()}
        if grown == reached:
            return reached
        reached = grown


def _nothing_left(evidence: Evidence) -> Check:
    broken = [
        f"task {task.id}, {task.status}: {task}"
        for task in evidence.tasks.values()
        if any(
            value is not None
            for value in (task.claim_rank, task.sweep_at, task.deadline_at, task.lease_token)
        )
        or (task.completed_at is not None) != (task.status == "done")
    ]
    return Check(
        "no lease, deadline or rank is left on what has ended", len(evidence.tasks), broken
    )
