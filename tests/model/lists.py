"""The filters of `GET /tasks`, by the contract."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.model.moments import Between, bounds
from tests.support.calls import Document
from tests.support.elapse import moment

Filter = Mapping[str, Any]
"""The query as it is sent: lists for what may be repeated."""

# Bounds that are the very moment in which a task was created.
BY_CREATION = (
    *("created_after", "created_before", "completed_after", "completed_before"),
    *("available_after", "available_before"),
)
CHINESE = {"high": "高", "medium": "中", "low": "低"}


def matches(shown: Document, wanted: Filter) -> bool:
    """Whether a task's document is one that is asked for."""
    created_at, due = bounds(shown["created_at"]).since, shown["due_date"]
    completed, available = (
        shown[name] and bounds(shown[name]).since for name in ("completed_at", "available_at")
    )
    holds: dict[str, Callable[[Any], bool]] = {
        "status": lambda values: shown["status"] in values,
        "priority": lambda values: shown["priority"] in [CHINESE.get(v, v) for v in values],
        "queue": lambda values: shown["queue"] in values,
        "id": lambda values: shown["id"] in values,
        "tag": lambda values: set(values) <= set(shown["tags"]),
        "title": lambda value: value.strip().lower() in shown["title"].lower(),
        "created_after": lambda value: created_at >= moment(value),
        "created_before": lambda value: created_at < moment(value),
        "due_after": lambda value: due is not None and due >= moment(value),
        "due_before": lambda value: due is not None and due < moment(value),
        "worker": lambda value: shown["worker"] == value.strip(),
        "completed_after": lambda value: completed is not None and completed >= moment(value),
        "completed_before": lambda value: completed is not None and completed < moment(value),
        "available_after": lambda value: available is not None and available >= moment(value),
        "available_before": lambda value: available is not None and available < moment(value),
    }
    return all(holds[name](value) for name, value in wanted.items())


def sent(wanted: Filter) -> dict[str, str | Sequence[str]]:
    """As query parameters."""
    return {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in wanted.items()
    }


def resolved(wanted: Filter, places: Sequence[tuple[Between, int]]) -> Filter:
    """With the ids and times of tasks where it has their numbers: a bound is the very moment in
    which one was created. Left out where there is none."""
    found: Document = {}
    for name, value in wanted.items():
        if name not in {"id", *BY_CREATION}:
            found[name] = value
        elif places and name == "id":
            found[name] = [places[number % len(places)][1] for number in value]
        elif places:
            found[name] = f"{places[value % len(places)][0].since.isoformat()}Z"
    return found
