"""What is no unique key, and what contradicts one, is refused by name."""

from typing import Any

import httpx
import pytest

from tests.support.calls import problem
from tests.support.unique_tasks import ACTIVE, KEY, stored


@pytest.mark.parametrize(
    ("unique", "field", "word"),
    [
        ({}, "unique.key", "required"),
        (KEY | {"key": ""}, "unique.key", "at least 1"),
        (KEY | {"key": "x" * 129}, "unique.key", "at most 128"),
        (KEY | {"key": "a\0"}, "unique.key", "NUL"),
        (KEY | {"while": "running"}, "unique.while", "waiting"),
        (KEY | {"hold": "active"}, "unique.hold", "unknown"),
        (KEY | {"conflict": "skip"}, "unique.conflict", "keep"),
        (KEY | {"debounce_seconds": 0}, "unique.debounce_seconds", "greater"),
        (KEY | {"debounce_seconds": 86_401}, "unique.debounce_seconds", "less"),
        (ACTIVE | {"debounce_seconds": 5}, "unique.debounce_seconds", "active"),
        (
            KEY | {"debounce_seconds": 5, "conflict": "keep"},
            "unique.debounce_seconds",
            "always replaces",
        ),
        (KEY | {"debounce_limit_seconds": 5}, "unique.debounce_limit_seconds", "no debounce"),
        (
            KEY | {"debounce_seconds": 6, "debounce_limit_seconds": 5},
            "unique.debounce_limit_seconds",
            "at least debounce_seconds",
        ),
        ("customer-17", "unique", "object"),
    ],
)
async def test_what_is_no_unique_key_is_refused_by_name(
    api: httpx.AsyncClient, unique: Any, field: str, word: str
) -> None:
    for path, body, prefix in (
        ("/tasks", {"title": "x", "unique": unique}, ""),
        ("/tasks/batch", {"tasks": [{"title": "x"}, {"title": "x", "unique": unique}]}, "tasks.1."),
    ):
        found = problem(await api.post(path, json=body), 422, prefix + field)
        assert word in found.detail


async def test_what_contradicts_it_is_refused_by_name(api: httpx.AsyncClient) -> None:
    debounced = {"unique": KEY | {"debounce_seconds": 5}, "available_at": "2030-01-01T00:00:00Z"}
    assert (
        "debounce" in problem(await api.post("/tasks", json={"title": "x"} | debounced), 422).detail
    )
    both = [{"title": "x", "unique": KEY}, {"title": "x", "unique": KEY | {"conflict": "reject"}}]
    problem(await api.post("/tasks/batch", json={"tasks": both}), 422, "tasks.1.unique.key")
    task = await stored(api)
    problem(await api.patch(f"/tasks/{task['id']}", json={"unique": KEY}), 422, "unique")
