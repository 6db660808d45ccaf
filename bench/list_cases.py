"""What a list may be asked for: each filter alone and every pair, common and rare values each."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Request

from app.api.cursor import next_link
from app.api.schemas import FilterQuery
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import Position

ORDER: Final = "desc"


class Case(NamedTuple):
    """One list, by its filters as they stand in the query."""

    label: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def wanted(self) -> TaskFilter:
        """As the queue gets it."""
        values: dict[str, str | list[str]] = {}
        for name, value in self.parameters:
            if name in ("status", "priority", "queue", "tag", "id"):
                found = values.setdefault(name, [])
                assert isinstance(found, list)
                found.append(value)
            else:
                values[name] = value
        return FilterQuery.model_validate(values).to_filter()

    def path(self, after: Position | None = None) -> str:
        """The call: the first page, or the one after that task."""
        query = urlencode(self.parameters)
        if after is None:
            return f"/tasks?{query}"
        scope = {
            **{"type": "http", "method": "GET", "scheme": "http", "path": "/tasks"},
            **{"query_string": query.encode(), "headers": [], "server": ("127.0.0.1", 80)},
        }
        link = next_link(Request(scope), after, self.wanted, ORDER)
        return link[1 : link.index(">")]


def cases(total: int) -> list[Case]:
    """No filter, each alone, and every pair of two; `total` tasks have been for a year."""
    filters = _filters(total)
    alone = [one for variants in filters.values() for one in variants]
    return [Case("none", ()), *alone, *_pairs(filters)]


def _pairs(filters: dict[str, list[Case]]) -> Iterator[Case]:
    for one, other in combinations(filters.values(), 2):
        for a in one:
            for b in other:
                yield _both(a, b)
    for repeatable in ("status", "tag"):
        for a, b in combinations(filters[repeatable], 2):
            yield _both(a, b)


def _both(a: Case, b: Case) -> Case:
    return Case(f"{a.label} · {b.label}", a.parameters + b.parameters)


def _filters(total: int) -> dict[str, list[Case]]:
    """The variants of each filter: mostly one that matches many tasks, and one that matches
    few."""
    now = datetime.now(UTC)

    def before(days: int) -> str:
        return (now - timedelta(days=days)).isoformat().replace("+00:00", "Z")

    def some(name: str, *values: str) -> list[Case]:
        return [Case(f"{name}={value}", ((name, value),)) for value in values]

    def moments(name: str, *days: int) -> list[Case]:
        return [Case(f"{name} {day} days ago", ((name, before(day)),)) for day in days]

    ids = tuple(("id", str(1 + total * k // 50)) for k in range(50))
    return {
        "status": some("status", "done", "failed", "to_do", "in_progress"),
        "priority": some("priority", "高", "中"),
        "queue": some("queue", "default", "seldom"),
        "tag": some("tag", "tag-0001", "tag-0030", "tag-0999"),
        "id": [Case("50 ids", ids)],
        "created_after": moments("created_after", 1, 300),
        "created_before": moments("created_before", 1, 300),
        "due_after": moments("due_after", 1, 300),
        "due_before": moments("due_before", 1, 300),
    }
