"""`GET /stats` for many tabs: one computation a second, and nothing sent that is there already."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from app.api import services
from app.queue.figures import stats
from tests.support.calls import submit
from tests.support.factories import TaskFactory


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of MySQL, with an answer that counts for ten minutes."""
    asked: list[Any] = []
    queues = stats.queues

    async def noted(connection: Any, **how: Any) -> Any:
        asked.append(how)
        return await queues(connection, **how)

    monkeypatch.setattr(stats, "queues", noted)
    monkeypatch.setattr(services, "STATS_SECONDS", 600.0)
    return asked


async def test_ten_tabs_cost_as_one(
    computed: list[Any], api: httpx.AsyncClient, session: Session
) -> None:
    TaskFactory(queue="a")
    TaskFactory(queue="b")
    answers = await asyncio.gather(*(api.get("/stats") for _ in range(10)))
    assert len({answer.content for answer in answers}) == 1
    assert len(computed) == 1
    assert len((await api.get("/stats", params={"queue": "a"})).json()["queues"]) == 1
    assert len((await api.get("/stats", params={"queue": ["a", "a"]})).json()["queues"]) == 1
    assert len(computed) == 2, "another question, whose order and repetitions do not count"


async def test_each_page_is_told_of_the_next_one(
    computed: list[Any], api: httpx.AsyncClient, session: Session
) -> None:
    for queue in "abc":
        TaskFactory(queue=queue)
    found = []
    for _ in range(2):
        url: str | None = "/stats?limit=1"
        while url is not None:
            answer = await api.get(url)
            found += [each["queue"] for each in answer.json()["queues"]]
            url = answer.links.get("next", {}).get("url")
    assert found == [*"abcabc"]
    assert len(computed) == 3


@pytest.mark.parametrize(
    "named",
    ["{0}", "W/{0}", '"other", {0}', ' W/"a,b" ,,\t{0} ', "*", " * ", '"unended, {0}'],
)
async def test_who_has_it_already_is_not_sent_it_again(api: httpx.AsyncClient, named: str) -> None:
    first = await api.get("/stats")
    etag = first.headers["etag"]
    assert first.status_code == 200
    answer = await api.get("/stats", headers={"If-None-Match": named.format(etag)})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == etag
    assert "content-length" not in answer.headers
    assert "content-type" not in answer.headers


@pytest.mark.parametrize(
    "named", ["", "x", '"x"', 'W/"x"', "{0}x", "w/", '"*"', "*, *", "é", ",,,", '"' * 3001]
)
async def test_who_has_another_one_is_sent_it(api: httpx.AsyncClient, named: str) -> None:
    etag = (await api.get("/stats")).headers["etag"].strip('"')
    headers = {b"If-None-Match": named.format(etag).encode()}
    answer = await api.get("/stats", headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {"queues": []}


async def test_of_a_list_there_may_be_several_lines(api: httpx.AsyncClient) -> None:
    etag = (await api.get("/stats")).headers["etag"]
    lines = [("If-None-Match", '"a"'), ("If-None-Match", etag), ("If-None-Match", '"b"')]
    assert (await api.get("/stats", headers=lines)).status_code == 304


async def test_what_has_changed_has_another_tag(api: httpx.AsyncClient, session: Session) -> None:
    seen = [(await api.get("/stats")).headers["etag"]]
    await submit(api, queue="a", available_at="2100-01-01T00:00:00Z")
    seen.append((await api.get("/stats?limit=1")).headers["etag"])
    TaskFactory(queue="b", paused=True)
    # The same queue on the page, but now there is a next one.
    seen.append((await api.get("/stats?limit=1")).headers["etag"])
    assert len({*seen}) == 3
    stale = await api.get("/stats?limit=1", headers={"If-None-Match": seen[1]})
    assert stale.status_code == 200
    assert "next" in stale.links
    fresh = await api.get("/stats?limit=1", headers={"If-None-Match": seen[2]})
    assert fresh.status_code == 304
    assert fresh.links == stale.links


async def test_a_bad_question_is_refused_whatever_the_caller_has(api: httpx.AsyncClient) -> None:
    answer = await api.get("/stats?queue=A", headers={"If-None-Match": "*"})
    assert answer.status_code == 422
