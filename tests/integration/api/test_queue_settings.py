"""What is set for a queue: replaced as a whole, shown with its defaults, and when it counts."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import Document, problem
from tests.support.elapse import is_between, moment, mysql_now
from tests.support.stored import everything_stored

AGEING = {"中": 600, "低": 3600}


def path(queue: str) -> str:
    return f"/admin/queues/{queue}/settings"


async def put(api: httpx.AsyncClient, queue: str, **settings: Any) -> Document:
    answer = await api.put(path(queue), json=settings)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def get(api: httpx.AsyncClient, queue: str) -> Document:
    answer = await api.get(path(queue))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_queue_that_nobody_has_set_has_the_defaults(api: httpx.AsyncClient) -> None:
    assert await get(api, "mail") == {
        "queue": "mail",
        "ageing_seconds": None,
        "running": None,
        "running_per_group": None,
        "fair": False,
        "rate": None,
        "rate_per_group": None,
        "in_force_at": None,
    }


async def test_what_is_set_is_answered_at_once_and_in_force_a_second_later(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    before = mysql_now(engine)
    settings = await put(api, "mail", ageing_seconds=AGEING)

    assert settings | {"in_force_at": None} == {
        "queue": "mail",
        "ageing_seconds": AGEING,
        "running": None,
        "running_per_group": None,
        "fair": False,
        "rate": None,
        "rate_per_group": None,
        "in_force_at": None,
    }
    second = timedelta(seconds=1.25)
    assert is_between(before + second, moment(settings["in_force_at"]), mysql_now(engine) + second)
    assert await get(api, "mail") == settings
    assert (await get(api, "default"))["ageing_seconds"] is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, None),
        ({"ageing_seconds": None}, None),
        ({"ageing_seconds": {}}, None),
        ({"ageing_seconds": {"中": None, "低": None}}, None),
        ({"ageing_seconds": {"中": 1}}, {"中": 1}),
        ({"ageing_seconds": {"中": 60, "低": 60.0}}, {"中": 60, "低": 60}),
        ({"ageing_seconds": {"medium": 60, "low": 31_536_000}}, {"中": 60, "低": 31_536_000}),
    ],
)
async def test_all_of_it_is_replaced(api: httpx.AsyncClient, given: Document, shown: Any) -> None:
    await put(api, "mail", ageing_seconds=AGEING)
    assert (await put(api, "mail", **given))["ageing_seconds"] == shown
    assert (await get(api, "mail"))["ageing_seconds"] == shown


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"ageing_seconds": {"高": 60}}, "ageing_seconds.高"),
        ({"ageing_seconds": {"high": 60}}, "ageing_seconds.high"),
        ({"ageing_seconds": {"低": 3600}}, "ageing_seconds.低"),
        ({"ageing_seconds": {"中": None, "low": 3600}}, "ageing_seconds.low"),
        ({"ageing_seconds": {"中": 3601, "低": 3600}}, "ageing_seconds.低"),
        ({"ageing_seconds": {"中": 60, "medium": 60}}, "ageing_seconds.medium"),
        # These come later.
        ({"events": None}, "events"),
        ({"queue": "mail"}, "queue"),
    ],
)
async def test_what_gives_no_order_and_what_is_unknown_is_refused(
    api: httpx.AsyncClient, engine: Engine, given: Document, field: str
) -> None:
    await put(api, "mail", ageing_seconds=AGEING)
    before = everything_stored(engine)
    found = problem(await api.put(path("mail"), json=given), 422, field)
    assert len(found.errors or ()) == 1
    assert everything_stored(engine) == before


async def test_each_change_is_a_new_version(api: httpx.AsyncClient, engine: Engine) -> None:
    def version() -> int | None:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT version FROM settings_version"))
            return found.scalar_one_or_none()

    versions = [version()]
    for queue, given in [("mail", AGEING), ("images", AGEING), ("mail", None), ("mail", None)]:
        await put(api, queue, ageing_seconds=given)
        versions.append(version())
    with engine.begin() as connection:
        for table in ("settings_version", "queue_settings"):
            connection.execute(text(f"DELETE FROM {table}"))
    await put(api, "mail", ageing_seconds=AGEING)
    versions.append(version())

    assert versions[0] is None
    assert len(set(versions)) == len(versions)


async def test_what_is_set_by_hand_and_makes_no_sense_counts_as_the_defaults(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await put(api, "mail", ageing_seconds=AGEING)
    with engine.begin() as connection:
        connection.execute(text("UPDATE queue_settings SET settings = 'ageing, please'"))
        connection.execute(text("UPDATE settings_version SET version = version + 1"))
    assert (await get(api, "mail"))["ageing_seconds"] is None
    answer = await api.post("/leases", json={"worker": "w", "queues": ["mail"]})
    assert answer.json() == []


async def test_what_one_process_was_told_every_process_shows(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    async with serving(settings) as other:
        told = await put(api, "mail", ageing_seconds=AGEING)
        assert await get(other, "mail") == told
