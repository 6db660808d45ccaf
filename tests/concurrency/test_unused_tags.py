"""Tags that no task has are deleted, whoever is just about to use them."""

import asyncio
from functools import partial

import httpx
from sqlalchemy import Engine, text

from app.mysql.connection import Connection
from app.queue.sweeps import unused
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.concurrency.ordering import held_open, until_blocked
from tests.conftest import serving
from tests.support.calls import submit


def names(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT name FROM tags ORDER BY name")).scalars())


async def a_tag_without_tasks(api: httpx.AsyncClient, name: str) -> None:
    """The process remembers its id."""
    task = await submit(api, tags=[name])
    assert (await api.delete(f"/tasks/{task['id']}")).status_code == 204


async def test_a_tag_that_is_just_being_used_stays(
    api: httpx.AsyncClient, other: Resources, resources: Resources, engine: Engine
) -> None:
    for name in ("used", "unused"):
        await a_tag_without_tasks(api, name)
    task = await submit(api)
    with engine.connect() as connection:
        tag_id = connection.execute(text("SELECT id FROM tags WHERE name = 'used'")).scalar_one()

    async def use(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO task_tags (task_id, tag_id, task_created_at) VALUES (%s, %s, NOW(6))",
            (task["id"], tag_id),
        )

    async with held_open(other.database, use):
        for _ in range(2):
            await sweeping.delete_unused(resources)
        assert names(engine) == ["used"]
    await sweeping.delete_unused(resources)
    assert names(engine) == ["used"]


async def test_a_task_that_comes_while_its_tag_is_deleted_gets_it_anew(
    settings: Settings, other: Resources, engine: Engine
) -> None:
    async with serving(settings) as api:
        for name in ("a", "b"):
            await a_tag_without_tasks(api, name)
        delete = partial(unused.delete_tags, after=0, last=2**31 - 1, limit=10)
        async with held_open(other.database, delete):
            # By the ids that the process remembers, it waits for the rows that are being deleted.
            coming = asyncio.create_task(submit(api, tags=["a", "b"]))
            await until_blocked(engine)
        task = await coming

        assert task["tags"] == ["a", "b"]
        found = (await api.get("/tasks", params={"tag": ["a", "b"]})).json()
        assert [each["id"] for each in found] == [task["id"]]
        assert (await api.get("/tags")).json() == [
            {"name": "a", "tasks": 1},
            {"name": "b", "tasks": 1},
        ]


async def test_a_patch_that_comes_while_its_tag_is_deleted_gets_it_anew(
    settings: Settings, other: Resources, engine: Engine
) -> None:
    async with serving(settings) as api:
        await a_tag_without_tasks(api, "a")
        task = await submit(api)
        delete = partial(unused.delete_tags, after=0, last=2**31 - 1, limit=10)
        async with held_open(other.database, delete):
            coming = asyncio.create_task(api.patch(f"/tasks/{task['id']}", json={"tags": ["a"]}))
            await until_blocked(engine)
        assert (await coming).json()["tags"] == ["a"]
        assert (await api.get("/tags")).json() == [{"name": "a", "tasks": 1}]
