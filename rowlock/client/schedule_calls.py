"""The calls about schedules: for each, what is sent and how the answer is read."""

from collections.abc import Callable
from typing import Final

from pydantic import TypeAdapter

from rowlock.client.calls import BATCH_SECONDS, nothing, once, part, task_of
from rowlock.client.fields import Time, time_as_sent
from rowlock.client.pages import Page, page, read_by
from rowlock.encoding import encode
from rowlock.http.answer import Answer
from rowlock.http.call import Call
from rowlock.models import BackfillResult, Occurrence, Schedule, ScheduleRun, Task

_SCHEDULES: Final = TypeAdapter(list[Schedule])
_OCCURRENCES: Final = TypeAdapter(list[Occurrence])
_RUNS: Final = TypeAdapter(list[ScheduleRun])


def put(name: str, schedule: bytes, if_match: int | None) -> Call[Schedule]:
    """Make or change a schedule, encoded already."""
    headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
    return Call("PUT", _path(name), _schedule, body=schedule, headers=headers)


def get(name: str) -> Call[Schedule]:
    """A schedule."""
    return Call("GET", _path(name), _schedule)


def list_schedules(page_size: int) -> Call[Page[Schedule]]:
    """The first page."""
    return page("/schedules", read_by(_SCHEDULES), (("limit", str(page_size)),))


def delete(name: str) -> Call[None]:
    """Delete a schedule. Gone is gone: a repeated call does not ask who did it."""
    return Call("DELETE", _path(name), nothing, settled_if_repeated=404)


def upcoming(name: str, count: int, after: Time | None) -> Call[list[Occurrence]]:
    """The next occurrences. Raises `NaiveTimeError`."""
    query = [("count", str(count))]
    if after is not None:
        query.append(("after", str(time_as_sent("after", after))))
    return Call("GET", f"{_path(name)}/next", read_by(_OCCURRENCES), tuple(query))


def runs(name: str, page_size: int) -> Call[Page[ScheduleRun]]:
    """The first page of what came of a schedule's occurrences."""
    return page(f"{_path(name)}/runs", read_by(_RUNS), (("limit", str(page_size)),))


def run(name: str, idempotency_key: str | None) -> Call[Task]:
    """Submit a schedule's task now, once however often it is sent."""
    return Call("POST", f"{_path(name)}/run", task_of, headers=once(idempotency_key))


def backfill(name: str, begin: Time, end: Time) -> Call[BackfillResult]:
    """Submit a task for each past occurrence that has none. Raises `NaiveTimeError`."""
    body = {"from": time_as_sent("from", begin), "to": time_as_sent("to", end)}
    return Call(
        "POST",
        f"{_path(name)}/backfill",
        lambda answer: BackfillResult.model_validate_json(answer.body),
        body=encode(body),
        extra_seconds=BATCH_SECONDS,
    )


def intervene(action: str, name: str) -> Call[Schedule]:
    """Pause or resume a schedule."""
    return Call("POST", f"/admin{_path(name)}/{action}", _schedule)


def preview(expression: str, timezone: str, count: int) -> Call[list[Occurrence]]:
    """The next occurrences of a cron expression."""
    query = (("expression", expression), ("timezone", timezone), ("count", str(count)))
    return Call("GET", "/cron", read_by(_OCCURRENCES), query)


def check_name(name: str) -> None:
    """Raises `ValueError` for a name that no call can be about; what else it may not have in it,
    the server says."""
    if not name or "/" in name:
        raise ValueError(f"a schedule's name has at least one character, and no slash: {name!r}")


def _path(name: str) -> str:
    check_name(name)
    return f"/schedules/{part(name)}"


_schedule: Callable[[Answer], Schedule] = read_by(TypeAdapter(Schedule))
