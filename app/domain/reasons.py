"""Each reason for which a task stands where it stands, as a document: its name, a sentence for
people, and what the sentence is about as fields for programs. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

from app.domain.retry import after_failure
from app.domain.standing import AHEAD_LIMIT, UNKNOWN, Line, Standing, Waits
from app.domain.states import Outcome, Status

Reason = dict[str, Any]

# Of the tasks that one waits for.
_SHOWN: Final = 10
_UNKNOWN: Final = {
    "waits_for_tasks": "MySQL did not say in time for which tasks it waits.",
    "waits_for_slot": "MySQL did not say in time who has the slots that it waits for.",
    "row_locked": "MySQL did not say in time whether another connection holds the task's row.",
    "no_worker": "MySQL did not say in time when a worker last asked the queue for tasks.",
    "behind": "MySQL did not say in time how many tasks of the queue are ahead of it.",
    "throughput": "MySQL did not say in time how fast the queue moves on.",
    "last_heartbeat": "Redis, which remembers heartbeats, cannot be asked: when the worker was "
    "last heard of is not known, and only the deadline counts.",
}


def ended(standing: Standing) -> Reason:
    """It is done, failed or cancelled."""
    task = standing.task
    if task.completed_at is not None:
        return _reason("ended", f"It was done {_ago(standing, task.completed_at)}.",
                       since=task.completed_at)  # fmt: skip
    used = f"{task.current_retry_count} of {task.retry_limit} retries were used"
    if task.status == Status.CANCELLED:
        said = "It is cancelled."
    elif task.current_retry_count < task.retry_limit:
        said = f"It has failed for good, as its worker said; {used}."
    else:
        said = f"It has failed, and no retry is left; {used}."
    changed = f" It was last changed {_ago(standing, task.updated_at)}."
    return _reason("ended", said + changed, since=task.updated_at)


def paused(standing: Standing) -> Reason:
    """Management has paused it."""
    since = standing.task.updated_at
    said = f"It is paused until it is resumed, and has been for at least {_span(standing, since)}."
    return _reason("paused", said, since=since)


def held(standing: Standing) -> Reason:
    """A worker has it; and what the sweep does if nothing more is heard of that one."""
    task, heard_at, ends_at = standing.task, standing.heard_at, standing.ends_at
    assert task.deadline_at is not None  # CHECKs tie both to in_progress
    assert task.started_at is not None
    is_lost = ends_at < task.deadline_at
    outcome = Outcome.LOST if is_lost else Outcome.TIMED_OUT
    verdict = after_failure(
        current_retry_count=task.current_retry_count, retry_limit=task.retry_limit
    )
    said = f"'{task.worker}' has had it for {_span(standing, task.started_at)}"
    said += f" (attempt {task.attempt})"
    if heard_at is not None:
        said += f", and was last heard of {_ago(standing, heard_at)}"
    if ends_at > standing.now:
        unless = "the worker is heard of again" if is_lost else "the attempt ends before"
        said += f". Unless {unless}, it ends as {outcome} in {_span(standing, ends_at)}"
    else:
        what = "lease ran out" if is_lost else "deadline passed"
        said += f". Its {what} {_ago(standing, ends_at)}, and the next sweep ends it as {outcome}"
    is_retried = verdict.status is Status.RETRYING
    retry = f"retry {verdict.current_retry_count} of {task.retry_limit} follows"
    return _reason(
        "held",
        f"{said}; {retry if is_retried else 'then the task has failed'}.",
        worker=task.worker,
        attempt=task.attempt,
        started_at=task.started_at,
        deadline=task.deadline_at,
        last_heartbeat_at=heard_at,
        ends_at=ends_at,
        ends_as=outcome,
        becomes=verdict.status,
    )


def not_yet(standing: Standing) -> Reason:
    """Its time has not come, or no sweep has seen yet that it has."""
    task = standing.task
    until = task.sweep_at
    assert until is not None  # a CHECK ties it to what waits without a rank
    retry = task.current_retry_count or None
    which = "" if retry is None else f" (retry {retry} of {task.retry_limit})"
    if until > standing.now:
        said = f"It may be claimed in {_span(standing, until)}{which}."
    else:
        said = f"Its time came {_ago(standing, until)}{which}; the next sweep makes it claimable."
    limit = None if retry is None else task.retry_limit
    return _reason("not_yet", said, until=until, retry=retry, retry_limit=limit)


def waits_for_tasks(waits: Waits) -> Reason:
    """Tasks that it depends on have not ended, or no sweep has seen yet that they have."""
    total, unmet = min(len(waits.parents), AHEAD_LIMIT), min(len(waits.unmet), AHEAD_LIMIT)
    is_at_least = len(waits.parents) > AHEAD_LIMIT
    shown = waits.unmet[:_SHOWN]
    if unmet:
        listed = ", ".join(f"{task_id} ({status})" for task_id, status in shown)
        more = ", …" if unmet > len(shown) else ""
        of = f"at least {total:,}" if is_at_least else f"{total:,}"
        said = f"It waits for {unmet:,} of {of} tasks that it depends on: {listed}{more}."
    else:
        said = "What it depends on has ended; the next sweep makes it claimable, or cancels it."
    return _reason(
        "waits_for_tasks",
        said,
        unmet=unmet,
        total=total,
        at_least=is_at_least,
        parents=[{"id": task_id, "status": status} for task_id, status in shown],
    )


def waits_for_slot(standing: Standing, line: Line) -> Reason:
    """Its group, or its queue, has no slot free, or no sweep has been there yet."""
    ahead, is_at_least = min(line.ahead, AHEAD_LIMIT), line.ahead > AHEAD_LIMIT
    whose = f"the queue '{standing.task.queue}'" if line.group is None else f"group '{line.group}'"
    many = f"{'at least ' if is_at_least else ''}{ahead:,} wait before it"
    before = {0: "it is the next one", 1: "1 waits before it"}.get(ahead, many)
    if line.is_full:
        said = (
            f"It waits for a slot: {line.held:,} of {line.running_limit:,} tasks of {whose} run or "
            f"may be claimed, and {before}."
        )
    elif line.is_paced and line.next_at is None:
        said = f"Of {whose} as many may be claimed as its rate lets begin at once, and {before}."
    elif line.is_paced and line.next_at is not None and line.next_at > standing.now:
        span = _span(standing, line.next_at)
        said = f"The rate of {whose} lets the next one begin in {span}, and {before}."
    else:
        said = f"A slot of {whose} is free, and {before}; the next sweep gives it to who is next."
    return _reason(
        "waits_for_slot",
        said,
        group=line.group,
        held=line.held,
        running_limit=line.running_limit,
        ahead=ahead,
        at_least=is_at_least,
    )


def no_scheduler(standing: Standing) -> Reason:
    """Nobody sweeps."""
    since = standing.swept_at
    when = "yet" if since is None else f"for {_span(standing, since)}"
    said = f"No scheduler has run {when}; what is due is done by none other."
    return _reason("no_scheduler", said, last_run_at=since)


def queue_paused(standing: Standing) -> Reason:
    """Its queue hands out nothing."""
    since = standing.queue_paused_at
    assert since is not None
    said = f"The queue '{standing.task.queue}' has been paused for {_span(standing, since)}."
    return _reason("queue_paused", said, since=since)


def row_locked(standing: Standing) -> Reason:
    """An open transaction has its row."""
    if standing.task.status == Status.IN_PROGRESS:
        so = "neither its worker nor the sweep can end the attempt"
    else:
        so = "workers pass it over"
    said = f"Another connection to MySQL holds the task's row: {so} until that transaction ends."
    return _reason("row_locked", said)


def no_worker(standing: Standing) -> Reason:
    """Nobody has asked its queue lately."""
    polled_at = standing.polled_at
    assert polled_at != UNKNOWN
    said = f"No worker has asked the queue '{standing.task.queue}' for tasks"
    said += " lately" if polled_at is None else f" for {_span(standing, polled_at)}"
    in_progress = None if standing.pace == UNKNOWN else standing.pace.in_progress
    if in_progress:
        tasks = _count(in_progress, "task of it is", "tasks of it are")
        said += f"; {tasks} in progress, so its workers may all be busy"
    return _reason("no_worker", f"{said}.", last_poll_at=polled_at, in_progress=in_progress)


def behind(standing: Standing) -> Reason:
    """Others of its queue are claimed first."""
    ahead, pace = standing.ahead, standing.pace
    assert ahead != UNKNOWN
    tasks, is_at_least = min(ahead, AHEAD_LIMIT), ahead > AHEAD_LIMIT
    said = _count(tasks, "task of the queue is", "tasks of the queue are") + " ahead of it"
    per_minute = expected_at = None
    if pace != UNKNOWN:
        per_minute = pace.per_minute
        if not pace.ended:
            said += f"; no attempt has ended in the last {pace.minutes} min"
        else:
            said += f"; lately {per_minute:,.1f} attempts a minute have ended"
        if pace.ended and not is_at_least:
            expected_at = standing.now + timedelta(minutes=tasks / per_minute)
            said += f", so its turn may come in about {_span(standing, expected_at)}"
    return _reason(
        "behind",
        f"At least {said}." if is_at_least else f"{said}.",
        tasks=tasks,
        at_least=is_at_least,
        ended_per_minute=per_minute,
        expected_at=expected_at,
    )


def due(standing: Standing) -> Reason:
    """Nothing else applies."""
    since = standing.task.created_at
    if standing.task.available_at is not None:
        since = max(since, standing.task.available_at)
    said = "Nothing is in its way: the next worker that asks its queue gets it."
    return _reason("due", said, since=since)


def unknown(part: str) -> Reason:
    """Whether another reason applies could not be found out."""
    return _reason("unknown", _UNKNOWN[part], part=part)


def _reason(name: str, said: str, **fields: Any) -> Reason:
    return {"reason": name, "detail": said, **fields}


def _ago(standing: Standing, when: datetime) -> str:
    return f"{_span(standing, when)} ago"


def _span(standing: Standing, when: datetime) -> str:
    """Between then and now, such as "45 s", "12 min", "5 h", "3 d"."""
    seconds = abs((when - standing.now).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
