"""What is of no use any more goes: counters at zero or of long ago, tags that no task has."""

import httpx
import pytest
from sqlalchemy import Engine, text

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.support.calls import claim_one, complete, submit


def rows(engine: Engine, statement: str) -> list[str]:
    with engine.connect() as connection:
        return sorted(str(found) for found in connection.execute(text(statement)).scalars())


async def test_what_deleted_tasks_have_left_behind_goes_and_the_rest_stays(
    api: httpx.AsyncClient, resources: Resources, engine: Engine, settings: Settings
) -> None:
    for n in range(60):
        task = await submit(api, queue=f"q{n}", tags=[f"tag {n}", "all"])
        if n:
            await api.delete(f"/tasks/{task['id']}")
    await complete(api, await claim_one(api, queues=["q0"]))
    await sweeping.fold_counters(resources)
    assert len(rows(engine, "SELECT name FROM counters")) > 120
    assert len(rows(engine, "SELECT name FROM tags")) == 61

    for _ in range(2):
        await sweeping.delete_unused(resources)

    assert rows(engine, "SELECT name FROM counters WHERE name NOT LIKE 'ended/%'") == [
        "queue/q0/done/中",
        "tag/all",
        "tag/tag 0",
    ]
    assert len(rows(engine, "SELECT name FROM counters WHERE name LIKE 'ended/q0/%/done'")) == 1
    assert rows(engine, "SELECT name FROM tags") == ["all", "tag 0"]
    assert (await api.get("/tags")).json() == [
        {"name": "all", "tasks": 1},
        {"name": "tag 0", "tasks": 1},
    ]
    assert await sweeping.recount(settings) == {}
    again = await submit(api, queue="q7", tags=["tag 7", "all"])
    assert again["tags"] == ["all", "tag 7"]
    assert await sweeping.recount(settings) == {}


async def test_counters_of_minutes_long_past_go(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    await submit(api)
    await complete(api, await claim_one(api))
    await sweeping.fold_counters(resources)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO counters (name, value) VALUES "
                "('ended/default/2020-01-01T00:00:0/done', 7), "
                "('recent/2020-01-01T00:00:0/default/done', 7)"
            )
        )

    await sweeping.delete_unused(resources)

    (left,) = rows(engine, "SELECT name FROM counters WHERE name REGEXP '^(ended|recent)/'")
    assert not left.startswith("ended/default/2020")


async def test_a_tag_that_was_just_made_waits_for_its_task(
    resources: Resources, engine: Engine
) -> None:
    await resources.tags.ensure(["new"])
    await sweeping.delete_unused(resources)
    assert rows(engine, "SELECT name FROM tags") == ["new"]
    await sweeping.delete_unused(resources)
    assert rows(engine, "SELECT name FROM tags") == []


async def test_a_walk_goes_on_where_its_time_was_up(
    resources: Resources, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "UNUSED_BATCH", 2)
    await resources.tags.ensure([f"tag {n}" for n in range(5)])
    with engine.begin() as connection:
        values = ", ".join(f"('tag/tag {n}', {n == 4:d})" for n in range(5))
        connection.execute(text(f"INSERT INTO counters (name, value) VALUES {values}"))
    await sweeping.delete_unused(resources)
    assert rows(engine, "SELECT name FROM counters") == ["tag/tag 4"]
    monkeypatch.setattr(sweeping, "UNUSED_SECONDS", 0.0)
    for _ in range(3):
        await sweeping.delete_unused(resources)
    assert len(rows(engine, "SELECT name FROM tags")) == 5
    monkeypatch.setattr(sweeping, "UNUSED_SECONDS", 60.0)
    await sweeping.delete_unused(resources)
    assert rows(engine, "SELECT name FROM tags") == []
