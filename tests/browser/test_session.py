"""Who is in: by a token that is kept no longer than it was said, and without one on loopback."""

import pytest

from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Api, Deployment, ServeWith
from tests.browser.conftest import OpenTab
from tests.browser.stock import stock
from tests.browser.tab import Tab

__all__ = ["deployment"]
TOKEN = "a-token-of-all-doors"


@pytest.fixture(scope="module")
def guarded(serve_with: ServeWith) -> Api:
    """One that wants a token."""
    api = serve_with({f"{door}_TOKENS": TOKEN for door in ("CLIENT", "WORKER", "ADMIN")})
    api.http.headers["Authorization"] = f"Bearer {TOKEN}"
    stock(api)
    return api


@pytest.fixture
async def signed_out(guarded: Api, open_tab: OpenTab) -> Tab:
    tab = await open_tab(guarded.url, None)
    tab.expected = {401}
    await tab.go()
    return tab


async def stored(tab: Tab) -> str:
    return str(await tab.page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])"))


async def test_a_token_is_asked_for_and_forgotten_with_the_page(signed_out: Tab) -> None:
    tab = signed_out
    await tab.assert_accessible()
    await tab.sign_in(TOKEN)
    await tab.main.get_by_role("link", name="images", exact=True).wait_for()
    assert TOKEN not in await stored(tab)
    assert await tab.page.context.cookies() == []
    await tab.page.reload()
    await tab.page.get_by_label("Token", exact=True).wait_for()


async def test_it_is_kept_for_the_tab_if_asked_to_and_until_signing_out(signed_out: Tab) -> None:
    tab = signed_out
    await tab.sign_in(TOKEN, keeps=True)
    await tab.page.reload()
    await tab.main.get_by_role("link", name="images", exact=True).wait_for()
    await tab.page.get_by_role("button", name="Sign out").click()
    await tab.page.get_by_label("Token", exact=True).wait_for()
    assert TOKEN not in await stored(tab)
    await tab.page.reload()
    await tab.page.get_by_label("Token", exact=True).wait_for()


@pytest.mark.parametrize("token", ["wrong", "密码", "a b"])
async def test_a_wrong_one_is_said_to_be_wrong(signed_out: Tab, token: str) -> None:
    tab = signed_out
    await tab.page.get_by_label("Token", exact=True).fill(token)
    await tab.page.get_by_role("button", name="Sign in").click()
    assert await tab.page.get_by_role("alert").inner_text() == (
        "This token is not valid (any more)."
    )


async def test_without_tokens_nobody_is_asked(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url)
    assert await tab.page.get_by_role("button", name="Sign out").count() == 0
    assert "GET /stats?limit=1000" in tab.calls


async def test_a_server_that_goes_away_and_comes_back(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    stock(api)
    tab = await open_tab(api.url)
    tab.expected = {0}
    api.kill()
    await tab.page.keyboard.press("r")
    note = tab.main.get_by_role("alert")
    await note.wait_for()
    assert "The server does not answer." in await note.inner_text()
    assert "Shown is what was true" in await note.inner_text()
    assert await tab.main.locator("tr[data-row=images]").is_visible()
    await tab.assert_accessible()
    deployment.serve(port=api.port)
    await note.get_by_role("button", name="Try again").click()
    await note.wait_for(state="detached")
