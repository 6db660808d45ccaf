"""What is sent: few values of each kind, so that tasks and filters meet.

Seconds are such that time, which passes by twenties, seldom ends near one of them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from app.domain.states import TRANSITIONS, Actor, Backoff, Priority, Status
from tests.model.lists import BY_CREATION, CHINESE, Filter
from tests.model.tasks import LIMITS
from tests.model.world import PROCESSES, TICK_SECONDS
from tests.support.calls import Document
from tests.support.elapse import moment

DAYS = (
    *("2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999Z", "2026-02-01T08:00:00+08:00"),
    *("1000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
)
# Some that lists tell from each other only if they take letters as letters.
TITLES = ("a task", " Another task ", "100% a_task", "back\\slash", "任务 1", "a\ttask")
PARTS = ("TASK", " a ", "%", "_", "\\", "任务", "task 1")
TAGS = ("x", "X", "核心业务", " y ", "é", "e")
KEYS = ("key-1", "Key-1", "key-2")
STATUSES = tuple(map(str, Status))
PRIORITIES = (*map(str, Priority), *CHINESE)
TIMES = ("due_date", "available_at", "starts_at", "ends_at")
# Seconds, and at most so many together.
DEBOUNCES = [(30, most) for most in LIMITS]
SCHEDULES = ("nightly", "Nightly", "每晚 报告")


class LeasePick(NamedTuple):
    """Which lease: of those that hold their task, or of all."""

    number: int
    is_held: bool


processes = st.sampled_from(PROCESSES)
queues = st.sampled_from(["default", "images", "mail.out"])
picks = st.integers(0, 9)
leases = st.builds(LeasePick, picks, st.sampled_from([True, True, False]))
keys = st.sampled_from(KEYS)
schedule_keys = st.sampled_from([KEYS[0], "run"])
ages: SearchStrategy[dict[str, int] | None] = st.sampled_from(
    [None, {"中": 50}, {"中": 50, "低": 50}, {"中": 50, "低": 410}, {"中": 410, "低": 4010}]
)
values: SearchStrategy[Any] = st.sampled_from(
    [None, 0, False, "", "text 任务", 1.5, 2**70, [], {"b": 1, "a": [None, {}]}]
)
texts = st.sampled_from([None, "", "line 1\nline 2", "任务 😀"])
passing = st.sampled_from([1, 3, 3, 20, 20, 200, 5000]).map(lambda ticks: ticks * TICK_SECONDS)
actions = st.sampled_from(sorted(t.event for t in TRANSITIONS if t.actor is Actor.MANAGEMENT))
schedule_names = st.sampled_from(SCHEDULES)
schedule_changes = st.sampled_from(["pause", "pause", "resume", "resume", "resume", "delete"])
orders = st.sampled_from(["asc", "desc"])

_changeable: dict[str, SearchStrategy[Any]] = {
    "description": texts,
    "priority": st.sampled_from(PRIORITIES),
    "tags": st.lists(st.sampled_from(TAGS), max_size=3),
    "due_date": st.sampled_from([None, *DAYS]),
    "timeout_seconds": st.sampled_from([30, 90, 610, 610]),
    "retry_limit": st.sampled_from([0, 1, 2, 5]),
    "retry_delay_seconds": st.sampled_from([0, 0, 27, 86_390]),
    "retry_backoff": st.sampled_from([str(backoff) for backoff in Backoff]),
    "payload": values,
}
_titles = st.sampled_from(TITLES)
priorities = st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=3)

_task = _changeable | {"queue": queues}
plain_bodies = st.fixed_dictionaries(
    {"title": _titles},
    # In so many seconds from then.
    optional=_task | {"available_at": st.sampled_from([-100, 30, 4010])},
)
_ways: SearchStrategy[Document] = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "while": st.sampled_from(["waiting", "active", "active"]),
            "conflict": st.sampled_from(["keep", "replace", "replace", "reject"]),
        },
    ),
    st.sampled_from([{"debounce_seconds": s, "debounce_limit_seconds": m} for s, m in DEBOUNCES]),
)
_uniques = st.builds(lambda key, way: {"key": key, **way}, st.sampled_from(["k", "K "]), _ways)
_unique = st.fixed_dictionaries({"title": _titles, "unique": _uniques}, optional=_task)
bodies = st.one_of(plain_bodies, plain_bodies, _unique)


_template = st.fixed_dictionaries({"title": _titles}, optional=_task)
# Where the clients' are, most often: occurrences find their keys held, and some are refused.
_unique_template = st.one_of(
    st.fixed_dictionaries({"title": _titles, "unique": _uniques}, optional=_changeable),
    st.fixed_dictionaries(
        {"title": _titles, "unique": st.just({"key": "k", "conflict": "reject"})},
        optional=_changeable,
    ),
)


def _schedules(
    seconds: Sequence[int],
    *,
    catch_up: Sequence[str],
    overlap: Sequence[str],
    task: SearchStrategy[Document] = _template,
) -> SearchStrategy[Document]:
    return st.fixed_dictionaries(
        {
            "task": task,
            "interval_seconds": st.sampled_from(seconds),
            "catch_up": st.sampled_from(catch_up),
            "overlap": st.sampled_from(overlap),
        },
        # In so many seconds from then: just before so much time has passed, and with most intervals
        # the last occurrence comes at the very end.
        optional={
            "starts_at": st.sampled_from([None, -4002, 98, 3998]),
            "ends_at": st.sampled_from([None, 398, 89_998]),
        },
    )


# Of all that a day has either few run or none but the first. What goes without saying is not said.
schedule_bodies = st.one_of(
    _schedules(
        [100, 100, 4000, 86_400],
        catch_up=["none", "one"],
        overlap=["skip", "allow"],
        task=st.one_of(_template, _unique_template),
    ),
    _schedules([80], catch_up=["all"], overlap=["skip"]),
    _schedules([20_000], catch_up=["all"], overlap=["allow"]),
).map(lambda body: {name: body[name] for name in body if body[name] not in ("one", "skip")})
changes = st.fixed_dictionaries(
    {}, optional=_changeable | {"title": _titles, "tags": st.none() | _changeable["tags"]}
)
refused_changes = st.sampled_from(
    [
        *({"status": "done"}, {"attempt": 1}, {"queue": "images"}, {"available_at": None}),
        *({"title": None}, {"title": "  "}, {"retry_limit": None}, {"timeout_seconds": 0}),
    ]
)
claims = st.fixed_dictionaries(
    {"worker": st.sampled_from(["host-1", " host-2 "])},
    optional={
        "queues": st.lists(queues, min_size=3, max_size=4),
        "limit": st.sampled_from([1, 2, 3, 100]),
        "lease_seconds": st.sampled_from([None, 30, 30, 90]),
    },
)
_failure = st.fixed_dictionaries(
    {"outcome": st.just("fail")},
    optional={
        "error": texts,
        "retryable": st.booleans(),
        "retry_after_seconds": st.sampled_from([None, 0, 0, 30]),
    },
)
finishes = st.one_of(
    _failure,
    _failure,
    st.fixed_dictionaries({"outcome": st.just("complete")}, optional={"result": values}),
    st.fixed_dictionaries(
        {"outcome": st.just("release")},
        optional={"delay_seconds": st.sampled_from([None, 0, 0, 30]), "reason": texts},
    ),
)
FILTERS: dict[str, SearchStrategy[Any]] = {
    "status": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3),
    "priority": st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=2),
    "queue": st.lists(queues, min_size=1, max_size=2),
    "tag": st.lists(st.sampled_from(["x", "X", "y", "核心业务"]), min_size=1, max_size=2),
    "title": st.sampled_from(PARTS),
    "due_after": st.sampled_from(DAYS),
    "due_before": st.sampled_from(DAYS),
    # The numbers of tasks (`lists.resolved`).
    "id": st.lists(picks, min_size=1, max_size=4),
    **dict.fromkeys(BY_CREATION, picks),
    "worker": st.sampled_from(["host-1", " host-2 ", "Host-1"]),
}
_filter = st.one_of(*(st.fixed_dictionaries({name: wanted}) for name, wanted in FILTERS.items()))
# More than two at once seldom leave anything.
filters: SearchStrategy[Filter] = st.one_of(
    st.just({}), _filter, st.tuples(_filter, _filter).map(lambda two: {**two[0], **two[1]})
)


def dated(now: datetime, bodies: Sequence[Document]) -> list[Document]:
    """With times where they have seconds from now."""
    return [
        {
            name: f"{(now + timedelta(seconds=value)).isoformat()}Z"
            if name in TIMES and isinstance(value, int)
            else value
            for name, value in body.items()
        }
        for body in bodies
    ]


def meant(body: Document) -> Document:
    """What a body says, as documents show it."""
    said = dict(body)
    for name in ("title", "worker"):
        if name in said:
            said[name] = said[name].strip()
    if "priority" in said:
        said["priority"] = CHINESE.get(said["priority"], said["priority"])
    if "tags" in said:
        said["tags"] = sorted({tag.strip() for tag in said["tags"] or ()})
    for name in TIMES:
        if said.get(name) is not None:
            said[name] = moment(said[name])
    return said


def said_otherwise(body: Document) -> Document:
    """The same, in other words."""
    other = {**body, "title": f" {body['title']} "}
    english = {chinese: word for word, chinese in CHINESE.items()}
    if "priority" in body:
        other["priority"] = english.get(body["priority"], body["priority"])
    if "tags" in body:
        other["tags"] = [*body["tags"][::-1], *body["tags"]]
    return other
