"""Actions on all tasks that match: counted before, and bounded by what is expected."""

import asyncio
from collections import Counter

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.service import bulk
from app.service.resources import Resources
from tests.concurrency.ordering import held_open, until_blocked
from tests.concurrency.steps import claim as claiming
from tests.integration.api.test_admin_door_pages import act, standing, submit_many
from tests.support.calls import Document, get, problem, submit
from tests.support.factories import TaskFactory

ACTIONS = ["pause", "resume", "cancel", "retry", "delete"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("how", [{}, {"limit": 2}, {"dry_run": "true"}])
async def test_more_than_expected_is_a_conflict_and_changes_nothing(
    api: httpx.AsyncClient, action: str, how: Document
) -> None:
    ids = await submit_many(api, 5, queue="mail")
    before = [await get(api, task_id) for task_id in ids]
    asked: Document = {"queue": "mail", "expect_at_most": 4, **how}
    refused = problem(await api.post(f"/admin/tasks/{action}", params=asked), 409)

    assert refused.model_extra == {"matched": 5, "expect_at_most": 4}
    assert "5 tasks" in refused.detail
    assert [await get(api, task_id) for task_id in ids] == before
    asked["expect_at_most"] = 5
    assert (await api.post(f"/admin/tasks/{action}", params=asked)).status_code == 200


async def test_one_more_than_none_is_said_in_good_english(api: httpx.AsyncClient) -> None:
    await submit_many(api, 1, queue="mail")
    answer = await api.post("/admin/tasks/cancel?queue=mail&expect_at_most=0")
    refused = problem(answer, 409)
    assert refused.detail == "At least 1 task matches, more than 0; nothing was changed."


async def test_expected_is_what_matches_from_where_a_page_begins(api: httpx.AsyncClient) -> None:
    await submit_many(api, 5, queue="mail")
    first = await act(api, "pause", queue="mail", limit=3, expect_at_most=5)
    asked: Document = {"queue": "mail", "after": first["next"], "expect_at_most": 1}
    problem(await api.post("/admin/tasks/pause", params=asked), 409)
    last = await act(api, "pause", **{**asked, "expect_at_most": 2})
    assert last == {"matched": 2, "changed": 2, "next": None}


async def test_nothing_expected_and_nothing_there_is_no_conflict(api: httpx.AsyncClient) -> None:
    none = {"matched": 0, "changed": 0, "next": None}
    assert await act(api, "cancel", queue="mail", expect_at_most=0) == none
    _, newest = await submit_many(api, 2, queue="mail")
    after = (await act(api, "pause", queue="mail", limit=1))["next"]
    beyond = {"queue": "mail", "after": after}
    assert (await act(api, "pause", **beyond, dry_run="true"))["matched"] == 1
    await api.delete(f"/tasks/{newest}")
    assert await act(api, "pause", **beyond, expect_at_most=0) == none
    asked: Document = {"queue": "mail", "expect_at_most": 0}
    problem(await api.post("/admin/tasks/cancel", params=asked), 409)


async def test_what_comes_to_match_after_the_count_is_not_acted_on(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    """All are counted; while the first is still held by another, one more comes."""
    ids = await submit_many(api, 501, queue="default")
    async with held_open(resources.database, claiming()):
        asked = {"queue": "default", "expect_at_most": 501}
        cancelling = asyncio.create_task(act(api, "cancel", **asked))
        await until_blocked(engine)
        late = await submit(api)
    answer = await cancelling

    assert (answer["matched"], answer["changed"]) == (501, 501)
    assert answer["next"] is not None
    assert (await get(api, late["id"]))["status"] == "to_do"
    assert Counter(await standing(api, ids)) == {"cancelled": 501}


async def test_a_dry_run_says_what_would_become_of_which(
    api: httpx.AsyncClient, session: Session
) -> None:
    for trait, count in (("failed", 3), ("done", 2), ("paused", 1), ("in_progress", 1)):
        for _ in range(count):
            TaskFactory(queue="mail", **{trait: True})
    by_status = {"failed": 3, "done": 2, "paused": 1, "in_progress": 1}
    effects = {
        "pause": {},
        "resume": {"paused": ["retrying", "to_do"]},
        "cancel": {"paused": ["cancelled"], "in_progress": ["cancelled"]},
        "retry": {"failed": ["to_do"]},
        "delete": {status: ["deleted"] for status in by_status},
    }
    for action, to in effects.items():
        assert await act(api, action, queue="mail", dry_run="true") == {
            **{"matched": 7, "changed": 0, "next": None},
            **{"by_status": by_status, "to": to, "is_exact": True},
        }


async def test_a_dry_run_in_pages_counts_as_the_pages_would(api: httpx.AsyncClient) -> None:
    ids = await submit_many(api, 5, queue="mail")
    first = await act(api, "cancel", queue="mail", limit=3, dry_run="true")
    assert (first["matched"], first["is_exact"]) == (3, False)
    last = await act(api, "cancel", queue="mail", after=first["next"], dry_run="true")
    assert (last["by_status"], last["is_exact"], last["next"]) == ({"to_do": 2}, True, None)
    assert await standing(api, ids) == ["to_do"] * 5


async def test_a_count_that_is_cut_off_says_so_or_asks_the_counters(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await submit_many(api, 12, queue="mail", tags=["a"])
    monkeypatch.setattr(bulk, "COUNT_LIMIT", 10)

    cut = await act(api, "cancel", tag="a", dry_run="true")
    assert (cut["matched"], cut["is_exact"]) == (10, False)
    rest = await act(api, "cancel", tag="a", dry_run="true", after=cut["next"])
    assert (rest["matched"], rest["is_exact"]) == (2, True)
    whole = await act(api, "cancel", queue="mail", dry_run="true")
    assert (whole["by_status"], whole["is_exact"]) == ({"to_do": 12}, True)
    assert whole["next"] is None
    other = await act(api, "cancel", queue="mail", priority="low", dry_run="true")
    assert (other["by_status"], other["is_exact"]) == ({}, True)


async def test_a_count_that_takes_too_long_ends_where_it_is(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is over after the first look at two tasks."""
    ids = await submit_many(api, 5, queue="mail", tags=["a"])
    monkeypatch.setattr(bulk, "BATCH", 1)

    def clock() -> None:
        moments = iter([0.0, 0.0])
        monkeypatch.setattr(bulk, "monotonic", lambda: next(moments, 1e6))

    clock()
    cut = await act(api, "cancel", tag="a", dry_run="true")
    assert (cut["by_status"], cut["is_exact"]) == ({"to_do": 2}, False)
    clock()
    rest = await api.post("/admin/tasks/cancel", params={"tag": "a", "expect_at_most": 4})
    assert "took longer" in problem(rest, 422).detail
    clock()
    refused = await api.post("/admin/tasks/cancel", params={"tag": "a", "expect_at_most": 1})
    problem(refused, 409)
    assert await standing(api, ids) == ["to_do"] * 5
