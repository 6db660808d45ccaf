"""What the model says of why a task stands where it stands."""

from app.domain.states import ENDED, WAITING, Status
from tests.model.board import Board
from tests.model.moments import same
from tests.model.tasks import Task
from tests.support.calls import Document
from tests.support.elapse import moment

# Whether there are workers and a scheduler is no matter of the board's; and a busy machine may
# not say in time.
NOT_OF_THE_BOARD = frozenset({"no_worker", "no_scheduler", "unknown"})


def explains(board: Board, task: Task, found: Document) -> None:
    """That the answer is right. All times are known for sure by now."""
    queue_is_paused = task.shown["queue"] in board.paused
    assert found["status"] == task.status
    assert found["is_claimable"] == (task.is_claimable and not queue_is_paused)
    assert found["reasons"], "there is always one"
    reasons = {reason["reason"]: reason for reason in found["reasons"]}
    assert all(reason["detail"] for reason in found["reasons"])
    assert reasons.keys() - NOT_OF_THE_BOARD == _names(board, task, reasons)
    if task.status is Status.IN_PROGRESS:
        _is_held(task, reasons["held"])
    if "not_yet" in reasons:
        assert moment(reasons["not_yet"]["until"]) == task.shown["available_at"]
        retry = task.shown["current_retry_count"] or None
        assert same(reasons["not_yet"]["retry"], retry)
    if "waits_for_tasks" in reasons:
        _waits(board, task, reasons["waits_for_tasks"])
    if "behind" in reasons:
        assert reasons["behind"]["tasks"] == _ahead(board, task)


def _names(board: Board, task: Task, found: Document) -> set[str]:
    if task.status not in WAITING:
        return {"ended" if task.status in ENDED else "paused" if not task.lease else "held"}
    names = {"queue_paused"} if task.shown["queue"] in board.paused else set()
    if task.waits_for_tasks:
        return names | {"waits_for_tasks"}
    if not task.is_claimable:
        return names | {"not_yet"}
    if "unknown" in found:  # then it may be that one
        names |= found.keys() & {"behind"}
    elif _ahead(board, task):
        names.add("behind")
    is_alone = not names and not found.keys() & NOT_OF_THE_BOARD
    return {"due"} if is_alone else names


def _waits(board: Board, task: Task, waits: Document) -> None:
    unmet = board.flows.open_parents(task.id)
    assert waits["unmet"] == len(unmet)
    assert waits["total"] == len(board.flows.parents(task.id))
    assert waits["parents"] == [{"id": t.id, "status": t.status} for t in unmet[:10]]


def _ahead(board: Board, task: Task) -> int:
    """Those of its queue that are claimed before it."""
    ages = board.ages(task.shown["queue"])
    return sum(
        other.is_claimable
        and other.shown["queue"] == task.shown["queue"]
        and other.turn(ages) < task.turn(ages)
        for other in board.tasks.values()
    )


def _is_held(task: Task, held: Document) -> None:
    assert task.lease is not None
    retries_left = task.shown["current_retry_count"] < task.shown["retry_limit"]
    assert held["worker"] == task.shown["worker"]
    assert held["attempt"] == task.shown["attempt"]
    assert moment(held["started_at"]) == task.shown["started_at"]
    assert held["becomes"] == ("retrying" if retries_left else "failed")
    assert held["started_at"] <= held["ends_at"] <= held["deadline"]
    assert held["ends_as"] == "timed_out" or task.lease.seconds is not None
    if held["last_heartbeat_at"] is not None:
        assert held["started_at"] <= held["last_heartbeat_at"]
