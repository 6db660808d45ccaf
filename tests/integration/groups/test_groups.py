"""A queue's groups are listed, and each can have a limit of its own."""

import asyncio
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine, text

from app.service import limiting
from app.service.resources import Resources
from tests.support.calls import Document, claim_one, complete, get, problem, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit, running

ODD = [
    "a/b",
    "..",
    "a b",
    "a ",
    "a",
    " ",
    "\t",
    "a\n",
    "é/高",
    "\ufffd",
    "%2F",
    "a?b#c",
    "groups",
    "x" * 128,
]


def path(group: str | None = None, queue: str = "default") -> str:
    of_group = "" if group is None else f"/{quote(group, safe='').replace('.', '%2E')}"
    return f"/admin/queues/{queue}/groups{of_group}"


async def put(api: httpx.AsyncClient, group: str, running: int) -> Document:
    answer = await api.put(path(group), json={"running": running})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def listed(api: httpx.AsyncClient, **asked: str) -> list[Document]:
    answer = await api.get(path(), params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def shown(group: str, held: int, waiting: int, running_limit: int | None) -> Document:
    counts = {"held": held, "waiting": waiting, "running_limit": running_limit}
    return {"group": group, **counts, "weight": 1, "next_token_at": None}


async def test_groups_are_listed_by_name(api: httpx.AsyncClient, engine: Engine) -> None:
    assert await listed(api) == []
    await limit(api, running=3, running_per_group=2)
    for group in ("b", "a", "a", "a"):
        await submit(api, group=group)
    await submit(api)  # the queue's own group is no group of its tasks
    await submit(api, group="c", queue="other")
    assert await listed(api) == [shown("a", 2, 1, 2), shown("b", 1, 0, 2)]
    assert await listed(api, waiting="true") == [shown("a", 2, 1, 2)]
    assert await listed(api, waiting="false") == await listed(api)

    for lease in await claimed(api):
        await complete(api, lease)
    assert await listed(api) == [shown("a", 1, 0, 2)]
    check(engine)


async def test_they_are_listed_page_by_page(api: httpx.AsyncClient) -> None:
    for number, group in enumerate(ODD):
        await put(api, group, number + 1)
    every = await listed(api)
    assert {each["group"]: each["running_limit"] for each in every} == {
        group: number + 1 for number, group in enumerate(ODD)
    }
    found, url = [], f"{path()}?limit=1"
    while url:
        answer = await api.get(url)
        assert len(answer.json()) == 1
        found += answer.json()
        link = answer.links.get("next")
        url = str(api.base_url.join(path()).join(link["url"])) if link else ""
    assert found == every


async def test_a_cursor_is_good_for_its_own_list_only(api: httpx.AsyncClient) -> None:
    for group in ("a", "b"):
        await put(api, group, 1)
    link = (await api.get(f"{path()}?limit=1")).links["next"]["url"]
    cursor = httpx.URL(f"http://x/{link}").params["cursor"]
    problem(await api.get(path(queue="other"), params={"cursor": cursor}), 422, "cursor")
    asked = {"cursor": cursor, "waiting": "true"}
    problem(await api.get(path(), params=asked), 422, "cursor")


@pytest.mark.parametrize("group", ODD)
async def test_a_group_may_be_called_anything(
    api: httpx.AsyncClient, engine: Engine, group: str
) -> None:
    assert await put(api, group, 1) == shown(group, 0, 0, 1)
    first, second = await submit(api, group=group), await submit(api, group=group)
    assert (first["group"], second["waiting_on"]) == (group, "group")
    assert await listed(api) == [shown(group, 1, 1, 1)]
    assert (await api.delete(path(group))).status_code == 204
    assert (await get(api, second["id"]))["waiting_on"] is None
    check(engine)


@pytest.mark.parametrize("group", ["", "x" * 129, "a\0"])
async def test_what_is_no_name_of_a_group_is_refused(api: httpx.AsyncClient, group: str) -> None:
    for answer in (
        await api.put(path(group), json={"running": 1}),
        await api.delete(path(group)),
    ):
        problem(answer, 422 if group else 404)
    problem(await api.put(path("a", queue="A"), json={"running": 1}), 422, "name")
    answer = await api.put("/admin/queues/default/groups/%FF", json={"running": 1})
    problem(answer, 422, "group")
    assert await listed(api) == []


async def test_a_raised_limit_hands_out_at_once(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running_per_group=1)
    tasks = [await submit(api, group="a") for _ in range(4)]
    assert await put(api, "a", 3) == shown("a", 3, 1, 3)
    assert ids(await claimed(api)) == [task["id"] for task in tasks[:3]]
    # Of the others nothing has changed.
    await submit(api, group="b")
    assert (await submit(api, group="b"))["waiting_on"] == "group"
    check(engine)


async def test_a_lowered_limit_stops_nobody(api: httpx.AsyncClient, engine: Engine) -> None:
    await limit(api, running_per_group=3)
    tasks = [await submit(api, group="a") for _ in range(5)]
    leases = await claimed(api)
    assert await put(api, "a", 1) == shown("a", 3, 2, 1)
    assert running(engine) == {"a": 3}
    for lease in leases[:2]:
        await complete(api, lease)
        assert await claimed(api) == []
    await complete(api, leases[2])
    assert ids(await claimed(api)) == [tasks[3]["id"]]
    check(engine)


async def test_a_group_without_a_limit_of_its_own_has_its_queues(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await limit(api, running_per_group=2)
    await put(api, "a", 1)
    for _ in range(3):
        await submit(api, group="a")
    for _ in range(2):  # the second time there is none
        assert (await api.delete(path("a"))).status_code == 204
        assert await listed(api) == [shown("a", 2, 1, 2)]
    assert (await api.delete(path("never"))).status_code == 204
    assert len(await claimed(api)) == 2
    check(engine)


async def test_where_only_some_groups_have_limits_the_others_have_none(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    await put(api, "a", 1)
    for group in ("a", "a", "b", "b", None):
        await submit(api, group=group)
    assert await listed(api) == [shown("a", 1, 1, 1), shown("b", 2, 0, None)]
    assert running(engine) == {}
    await claimed(api)
    assert running(engine) == {"a": 1, "b": 2, None: 1}
    check(engine)


async def test_settings_of_the_queue_leave_the_limits_of_groups(api: httpx.AsyncClient) -> None:
    await put(api, "a", 1)
    settings = await limit(api, running_per_group=3)
    assert settings["running_per_group"] == 3
    await limit(api)
    await submit(api, group="a")
    assert (await submit(api, group="a"))["waiting_on"] == "group"


async def test_tasks_that_were_there_get_the_limit(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    tasks = [await submit(api, group="a") for _ in range(3)]
    lease = await claim_one(api)
    await put(api, "a", 1)
    elapse(engine, 2)
    await limiting.adopt(resources)
    assert await listed(api) == [shown("a", 1, 2, 1)]
    await complete(api, lease)
    assert ids(await claimed(api)) == [tasks[1]["id"]]
    check(engine)


async def test_only_the_first_limit_is_a_change_of_settings(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    def version() -> int:
        with engine.connect() as connection:
            return int(
                connection.execute(text("SELECT version FROM settings_version")).scalar_one()
            )

    await put(api, "a", 1)
    first = version()
    await put(api, "b", 1)
    await put(api, "a", 2)
    await api.delete(path("a"))
    assert version() == first


async def test_limits_change_while_tasks_come_and_end(
    api: httpx.AsyncClient, engine: Engine, resources: Resources
) -> None:
    """Whatever locks whatever first: nobody waits for one who waits for it."""
    await limit(api, running=6, running_per_group=2)
    groups = ["a", "b", "c"]

    async def change(group: str, number: int) -> None:
        await put(api, group, 1 + number % 4)
        if number % 3 == 0:
            assert (await api.delete(path(group))).status_code == 204

    async def work(group: str) -> None:
        await submit(api, group=group)
        for lease in await claimed(api, limit=2):
            await complete(api, lease)

    for number in range(5):
        await asyncio.gather(
            *(change(group, number) for group in groups), *(work(group) for group in groups * 3)
        )
    while True:
        await limiting.give_slots(resources)
        leases = await claimed(api)
        if not leases:
            break
        for lease in leases:
            await complete(api, lease)
    assert all((each["held"], each["waiting"]) == (0, 0) for each in await listed(api))
    check(engine)
