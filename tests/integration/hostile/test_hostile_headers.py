"""Headers: hostile ones come to nothing, and those that are answered say what they should."""

import asyncio
import re

import httpx
import pytest

from tests.support.calls import submit
from tests.support.hostile import HOSTILE, STRINGS, quoted, raw

# Read by somebody on the way of a request; those that calls take themselves are in the document.
READ = [
    *(["X-Request-Id"], ["Host"], ["Origin"], ["Authorization"], ["Content-Type"]),
    *(["Content-Length"], ["Transfer-Encoding"], ["X-Forwarded-For", "Forwarded"]),
    ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-HTTP-Method-Override"],
    ["Accept", "Accept-Encoding", "Range", "Cookie", "If-None-Match", "User-Agent", "Referer"],
]
LOCATION = re.compile(r"tasks/[0-9]+")
LINK = re.compile(r'<(tasks\?[!#-;=?-~]+)>; rel="next"')


def assert_in_order(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    for name, value in answer.headers.raw:
        assert re.fullmatch(rb"[a-z0-9-]+", name), answer.headers
        assert re.fullmatch(rb"[\x20-\x7e]*", value), answer.headers
    assert not answer.headers.keys() & {"x-evil", "set-cookie"}


@pytest.mark.parametrize("names", READ, ids=str)
async def test_a_hostile_header_comes_to_nothing(api: httpx.AsyncClient, names: list[str]) -> None:
    for number in range(2):
        await submit(api, title=f"task {number}")
    own = [] if "Content-Type" in names else [(b"Content-Type", b"application/json")]
    headers = [[*((name.encode(), raw(text[:5000])) for name in names), *own] for text in HOSTILE]

    for page in await asyncio.gather(*(api.get("/tasks?limit=1", headers=h) for h in headers)):
        assert_in_order(page)
        assert page.status_code in (200, 403)
        assert page.status_code == 403 or LINK.fullmatch(page.headers["link"]), page.headers
    body = b'{"title": "x"}'
    for made in await asyncio.gather(
        *(api.post("/tasks", content=body, headers=h) for h in headers)
    ):
        assert_in_order(made)
        assert made.status_code in (201, 400, 403, 415)
        assert made.status_code != 201 or LOCATION.fullmatch(made.headers["location"])


@pytest.mark.parametrize("name", ["title", "tag"])
async def test_a_link_leads_on_in_the_same_list_whatever_its_filters(
    api: httpx.AsyncClient, name: str
) -> None:
    tasks = [
        {"title": text, "tags": [text], "retry_limit": number}
        for number in range(2)
        for text in STRINGS
    ]
    assert (await api.post("/tasks/batch", json={"tasks": tasks})).status_code == 201

    for text in STRINGS:
        whole = (await api.get(f"/tasks?limit=1000&{name}={quoted(text)}")).json()
        assert len(whole) >= 2, text
        found, url = [], f"/tasks?limit=1&{name}={quoted(text)}"
        while url:
            page = await api.get(url)
            assert_in_order(page)
            found += page.json()
            link = LINK.fullmatch(page.headers.get("link", ""))
            assert link or "link" not in page.headers, page.headers
            url = link[1] if link and len(found) < 4 else ""
        assert found == whole[: len(found)], text
        assert len(found) == min(4, len(whole)), text
