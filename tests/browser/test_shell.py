"""The page stands under its strict policy, wherever it is served from."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.api.page import POLICY
from tests.acceptance.deployment import Api, Deployment, ServeWith
from tests.acceptance.test_binary import bare, binary
from tests.browser.conftest import OpenTab
from tests.browser.prefix_proxy import proxying
from tests.browser.stock import stock

__all__ = ["bare", "binary"]
TOKEN = "a-token-of-all-doors"
GUARDED = {f"{door}_TOKENS": TOKEN for door in ("CLIENT", "WORKER", "ADMIN")}


@pytest.fixture(scope="module")
def guarded(serve_with: ServeWith) -> Api:
    """One that wants a token."""
    api = serve_with(GUARDED)
    api.http.headers["Authorization"] = f"Bearer {TOKEN}"
    stock(api)
    return api


async def assert_stands(open_tab: OpenTab, url: str) -> None:
    tab = await open_tab(url, None)
    answer = await tab.page.goto(f"{url}/")  # from where a browser is led on
    assert answer is not None
    assert tab.page.url == f"{url}/ui/"
    assert answer.headers["content-security-policy"] == POLICY
    await tab.settled()
    assert await tab.page.title() == "Overview – Rowlock"
    await tab.main.get_by_role("link", name="images", exact=True).wait_for()


async def test_it_stands_as_the_api_serves_it(site: Api, open_tab: OpenTab) -> None:
    await assert_stands(open_tab, site.url)


async def test_it_stands_behind_a_proxy_with_a_prefix(guarded: Api, open_tab: OpenTab) -> None:
    with proxying(guarded.url, "/tools/rowlock") as url:
        tab = await open_tab(url, None)
        tab.expected = {401}
        await tab.page.goto(f"{url}/")
        await tab.sign_in(TOKEN)
        assert tab.page.url == f"{url}/ui/"
        await tab.main.get_by_role("link", name="images", exact=True).wait_for()
        assert "GET /stats?limit=1000" in tab.calls


async def test_without_tokens_a_proxy_is_told_why_it_gets_nothing(
    site: Api, open_tab: OpenTab
) -> None:
    with proxying(site.url, "/rowlock") as url:
        tab = await open_tab(url, None)
        tab.expected = {403}
        await tab.go()
        assert "calls through a proxy are refused" in await tab.main.inner_text()


@pytest.fixture
def executable(
    binary: Path, bare: dict[str, str], tmp_path: Path, database_url: str, redis_url: str
) -> Iterator[Api]:
    """A server with neither the checkout nor Python around it."""
    with closing(
        Deployment(
            tmp_path,
            database_url=database_url,
            redis_url=redis_url,
            command=[str(binary)],
            environment=bare,
        )
    ) as deployment:
        api = deployment.serve()
        stock(api)
        yield api


async def test_it_stands_in_the_executable(executable: Api, open_tab: OpenTab) -> None:
    await assert_stands(open_tab, executable.url)
