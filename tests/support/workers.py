"""Workers in the register, as an API process tells of them."""

from typing import Any
from urllib.parse import quote

import httpx

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import Document


async def told(
    settings: Settings, *polls: dict[str, Any], agent: str = "test/1", address: str = "::1"
) -> None:
    """An API process has heard these polls, and has stopped: by then all of it is told."""
    async with serving(settings, address=address) as api:
        for poll in polls:
            answer = await api.post("/leases", json=poll, headers={"User-Agent": agent})
            assert answer.status_code == 200, answer.text


async def worker(api: httpx.AsyncClient, name: str) -> Document:
    """One of them."""
    answer = await api.get(f"/admin/workers/{quoted(name)}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def workers(api: httpx.AsyncClient, **query: Any) -> list[Document]:
    """All that match, or a page of them."""
    answer = await api.get("/admin/workers", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def names(api: httpx.AsyncClient, **query: Any) -> list[str]:
    """Their names."""
    return [found["worker"] for found in await workers(api, **query)]


def quoted(name: str) -> str:
    """As one part of a path; of dots alone it would lead up."""
    return quote(name, safe="").replace(".", "%2E")
