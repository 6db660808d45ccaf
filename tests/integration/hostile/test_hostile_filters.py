"""What is asked of a list is taken at its word: by LIKE, by MySQL's modes, and by the cache."""

import asyncio
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import submit
from tests.support.hostile import STRINGS

WORDS = ["".join(letters) for size in (1, 2, 3) for letters in product("%_\\a", repeat=size)]


async def titles(api: httpx.AsyncClient, **filters: Any) -> list[str]:
    answer = await api.get("/tasks", params={"limit": 1000, "order": "asc", **filters})
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.json()]


async def test_what_is_searched_for_is_no_pattern(api: httpx.AsyncClient) -> None:
    tasks = [{"title": word} for word in WORDS]
    assert (await api.post("/tasks/batch", json={"tasks": tasks})).status_code == 201

    found = await asyncio.gather(*(titles(api, title=word) for word in WORDS))

    for word, those in zip(WORDS, found, strict=True):
        assert those == [title for title in WORDS if word in title], word


@pytest.fixture
def server_modes(engine: Engine) -> Iterator[None]:
    """As a server might be set up for somebody else."""
    with engine.connect() as connection:
        before = connection.scalar(text("SELECT @@GLOBAL.sql_mode"))
        modes = {"mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH"}
        connection.execute(text("SET GLOBAL sql_mode = :mode"), modes)
        yield
        connection.execute(text("SET GLOBAL sql_mode = :mode"), {"mode": before})


async def test_the_modes_of_the_server_change_no_string(
    settings: Settings, server_modes: None
) -> None:
    async with serving(settings) as api:
        tasks = [{"title": each, "tags": [each], "payload": each} for each in STRINGS]
        made = (await api.post("/tasks/batch", json={"tasks": tasks})).json()
        for task, each in zip(made, STRINGS, strict=True):
            found = (await api.get(f"/tasks/{task['id']}")).json()
            assert (found["title"], found["tags"], found["payload"]) == (each, [each], each)
            assert each in await titles(api, title=each)
            assert await titles(api, tag=each) == [each]


async def test_two_lists_that_differ_are_never_one_in_the_cache(
    api: httpx.AsyncClient, redis_connection: redis.Redis
) -> None:
    """What would look alike if the parts of a key were put one after the other."""
    for number, tags in enumerate([["a", "b"], ["a, b"], ["a", "b'"], ["a', 'b"]]):
        await submit(api, title=f"t{number}", tags=tags, queue=["a", "b", "a.b", "a"][number])
    await submit(api, title="t4', created_after=None", queue="a", priority="高")
    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["t0", "t1", "t2", "t3", "t4', created_after=None"]),
        ({"tag": ["a", "b"]}, ["t0"]),
        ({"tag": ["b", "a", "a"]}, ["t0"]),
        ({"tag": "a, b"}, ["t1"]),
        ({"tag": "a', 'b"}, ["t3"]),
        ({"tag": ["a", "b'"]}, ["t2"]),
        ({"queue": ["a", "b"]}, ["t0", "t1", "t3", "t4', created_after=None"]),
        ({"queue": "a.b"}, ["t2"]),
        ({"queue": "a", "priority": "高"}, ["t4', created_after=None"]),
        ({"title": "t4"}, ["t4', created_after=None"]),
        ({"title": "t4', created_after=None"}, ["t4', created_after=None"]),
        ({"title": "t4\n"}, ["t4', created_after=None"]),
        ({"title": "t4', created_before=None"}, []),
        ({"title": "queue"}, []),
        ({"id": ["1", "2"], "title": "queue"}, []),
        ({"limit": 2}, ["t0", "t1"]),
        ({"limit": 2, "order": "desc"}, ["t4', created_after=None", "t3"]),
        ({"order": "desc", "tag": "a"}, ["t2", "t0"]),
        ({"tag": "a"}, ["t0", "t2"]),
    ]
    for _ in ("read", "found in the cache"):
        for filters, expected in asked:
            assert await titles(api, **filters) == expected, filters
    cached = [key for key in redis_connection.scan_iter() if b":list:" in key]
    assert len(cached) == len(asked) - 1, "one was trimmed and is another's"


async def test_a_number_written_otherwise_is_the_same_task_in_the_cache(
    api: httpx.AsyncClient, redis_connection: redis.Redis
) -> None:
    task_id = (await submit(api))["id"]
    for form in (f"{task_id}", f"0{task_id}", f"{task_id:030}"):
        assert (await api.get(f"/tasks/{form}")).json()["id"] == task_id
    for form in (f"+{task_id}", f"{task_id}.0", f"%20{task_id}", f"{task_id}%0A", f"{task_id}:x"):
        assert (await api.get(f"/tasks/{form}")).status_code == 422
    keys = [key for key in redis_connection.scan_iter() if b":task:" in key]
    assert keys == [b"rowlock:task:%d" % task_id]
