"""The fields, changes and filters of tasks, as keywords that type checkers know."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Required, TypedDict

from rowlock.encoding import encode
from rowlock.errors import NaiveTimeError

if TYPE_CHECKING:
    from rowlock.models import Task

Priority = Literal["高", "中", "低", "high", "medium", "low"]
Backoff = Literal["exponential", "fixed", "linear"]
OrderBy = Literal["created_at", "available_at"]
View = Literal["full", "summary"]
UniqueWhile = Literal["waiting", "active"]
UniqueConflict = Literal["keep", "replace", "reject"]
OnParentFailure = Literal["cancel", "run"]
Direction = Literal["parents", "children"]
Status = Literal["to_do", "in_progress", "done", "paused", "retrying", "failed", "cancelled"]
BulkAction = Literal["pause", "resume", "cancel", "retry", "delete"]
# Text is RFC 3339. Either has to say its offset from UTC.
Time = datetime | str


class TaskDefaults(TypedDict, total=False):
    """What all tasks of a kind may have in common."""

    description: str | None
    priority: Priority
    tags: Sequence[str]
    timeout_seconds: int
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    queue: str


# A field of this name can be declared in no other way.
_While = TypedDict("_While", {"while": UniqueWhile}, total=False)


class Unique(_While, total=False):
    """A key that one task of a queue holds at a time: `{"key": "customer-17"}`.

    `while` says for how long: `waiting`, until it is first claimed, or `active`, until it has
    ended. `conflict` says what happens to a task whose key another one holds: `keep` returns that
    one as it is, `replace` gives that one the new fields and returns it, `reject` raises
    `ConflictError`. `debounce_seconds` replaces too, and moves that one's `available_at` to so many
    seconds from now, but no further than `debounce_limit_seconds` after its creation.
    """

    key: Required[str]
    conflict: UniqueConflict
    debounce_seconds: int
    debounce_limit_seconds: int


class MemberFields(TaskDefaults, total=False):
    """What a new task may have, but for its payload and what it depends on. Of a `group` as many
    run at a time as `Admin.set_queue_settings` says."""

    due_date: Time | None
    available_at: Time | None
    unique: Unique | None
    group: str | None
    on_parent_failure: OnParentFailure | None
    blocks: "Sequence[int | Task]"


class SubmitFields(MemberFields, total=False):
    """The optional fields of a new task beside its payload."""

    depends_on: "Sequence[int | Task]"


class TaskFields(SubmitFields, total=False):
    """The optional fields of a new task."""

    payload: Any


class NewTask(MemberFields, total=False):
    """A task to submit.

    `depends_on` names tasks that have to end before it is claimed; if one fails or is cancelled, it
    is cancelled too, or with `on_parent_failure` `run` runs all the same. `blocks` names tasks that
    still wait for others, and shall wait for this one too. In a batch `depends_on` may also have
    the `ref` of an earlier task.
    """

    title: Required[str]
    payload: Any
    ref: str | None
    depends_on: "Sequence[int | Task | str]"


class Changes(TypedDict, total=False):
    """The fields to change; omitted fields stay."""

    title: str
    description: str | None
    priority: Priority
    tags: Sequence[str] | None
    due_date: Time | None
    timeout_seconds: int
    retry_limit: int
    retry_delay_seconds: int
    retry_backoff: Backoff
    payload: Any


class Filters(TypedDict, total=False):
    """Filters, all of which must match. Several values of `status`, `priority`, `queue` or `id`
    mean any of them, several of `tag` all of them; `title` is text in the title; `worker` is the
    last one that claimed it."""

    status: Status | Sequence[Status]
    priority: Priority | Sequence[Priority]
    queue: str | Sequence[str]
    tag: str | Sequence[str]
    id: int | Sequence[int]
    title: str
    created_after: Time
    created_before: Time
    due_after: Time
    due_before: Time
    worker: str
    completed_after: Time
    completed_before: Time
    available_after: Time
    available_before: Time


class BulkFilters(Filters, total=False):
    """Filters, and how to act on the tasks that match: see `Admin.pause_all`."""

    dry_run: bool
    limit: int | None
    after: str | None
    expect_at_most: int | None


TASK_TIMES: Final = ("due_date", "available_at")
# What a task says of others. It is submitted alone: an error, or a wait, is its own then.
OF_OTHERS: Final = frozenset({"depends_on", "blocks", "ref"})
_IDS: Final = ("depends_on", "blocks")
_BOUNDS: Final = ("_after", "_before")


def encode_fields(fields: Mapping[str, Any]) -> bytes:
    """A task's fields, or changes of them, as JSON. Raises `NaiveTimeError`."""
    others = {name: _ids(fields[name]) for name in _IDS if fields.get(name)}
    return encode({**with_times(fields, TASK_TIMES), **others})


def _ids(tasks: Any) -> Any:
    """Ids, of tasks too; what is no list as it is: the server says what is wrong with it."""
    if isinstance(tasks, str | Mapping) or not isinstance(tasks, Iterable):
        return tasks
    return [getattr(task, "id", task) for task in tasks]


def with_times(
    fields: Mapping[str, Any], names: Iterable[str], *, below: str = ""
) -> Mapping[str, Any]:
    """The fields, those of them that are times as they are sent. An error's field is named as
    `below` what it is in. Raises `NaiveTimeError`."""
    times = {
        name: time_as_sent(below + name, fields[name])
        for name in names
        if fields.get(name) is not None
    }
    return {**fields, **times} if times else fields


def time_as_sent(name: str, value: Any) -> Any:
    """A time with its offset; what is no time as it is: the server says what is wrong with it.
    Raises `NaiveTimeError`."""
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date) or _is_naive(value):
        raise NaiveTimeError(name, value)
    return value


def query_of(filters: Filters) -> tuple[tuple[str, str], ...]:
    """The filters as query parameters. Those that are None are left out.

    Raises `NaiveTimeError`.
    """
    query: list[tuple[str, str]] = []
    for name, value in filters.items():
        if value is None:
            continue
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        query += [(name, str(_filter(name, one))) for one in several]
    return tuple(query)


def _filter(name: str, value: Any) -> Any:
    is_time = name.endswith(_BOUNDS) or isinstance(value, date)
    return time_as_sent(name, value) if is_time else value


def _is_naive(text: Any) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() is None
    except (TypeError, ValueError):
        return False
