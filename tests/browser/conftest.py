"""One browser for the whole run, and tabs on a real server."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

from tests.acceptance.conftest import serve_with
from tests.acceptance.deployment import Api, ServeWith
from tests.browser.stock import stock
from tests.browser.tab import AXE, NOTE_VIOLATIONS, Tab
from tests.support.chromium import find_chromium

__all__ = ["serve_with"]

# The first run fetches the browser.
SECONDS: Final = 900
WIDE, NARROW = (1440, 900), (390, 844)

OpenTab = Callable[..., Awaitable[Tab]]
TakePictures = Callable[[str, Tab], Awaitable[None]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """For those who name this directory: `make test ARGS="tests/browser --pictures FOLDER"`."""
    group = parser.getgroup("browser")
    group.addoption("--pictures", type=Path, help="write pictures of the pages into this folder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    assert AXE.exists(), "the tests of the page need what `make web` installs"
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.path,
            args=chromium.arguments,
            env={**os.environ, **chromium.environment},
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def site(serve_with: ServeWith) -> Api:
    """A server on which something goes on; the tests of a file share it, and only look."""
    api = serve_with({})
    stock(api)
    return api


@pytest.fixture
async def open_tab(browser: Browser) -> AsyncIterator[OpenTab]:
    """Open a tab on a server's page, in a browser that knows nothing yet. At the end of the test
    nothing may have gone wrong in it."""
    tabs: list[Tab] = []

    async def open_tab(
        url: str,
        view: str | None = "#/",
        *,
        language: str = "en",
        theme: str = "light",
        size: tuple[int, int] = WIDE,
    ) -> Tab:
        context = await browser.new_context(
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": size[0], "height": size[1]},
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        await context.add_init_script(NOTE_VIOLATIONS)
        tab = Tab(await context.new_page(), f"{url}/ui/")
        tabs.append(tab)
        if view is not None:
            await tab.go(view)
        return tab

    yield open_tab
    for tab in tabs:
        await tab.assert_well()
        await tab.page.context.close()


@pytest.fixture
def pictures(pytestconfig: pytest.Config) -> Path | None:
    """Where they go, if they are wanted."""
    folder: Path | None = pytestconfig.getoption("--pictures", default=None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


Look = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def look(open_tab: OpenTab, site: Api, pictures: Path | None) -> Look:
    """A view in each theme, language and width: axe-core has nothing to say, it is no wider than
    the screen, and with `--pictures` there is one of each."""

    async def look(name: str, view: str) -> None:
        for size in (WIDE, NARROW):
            for theme in ("light", "dark"):
                for language in ("en", "zh"):
                    tab = await open_tab(site.url, view, language=language, theme=theme, size=size)
                    await tab.assert_accessible()
                    width = await tab.page.evaluate("document.documentElement.scrollWidth")
                    assert width <= size[0], f"{name} in {language} needs {width} px of {size[0]}"
                    if pictures is not None:
                        file = pictures / f"{name}-{size[0]}-{theme}-{language}.png"
                        await tab.page.screenshot(path=file, full_page=True)

    return look
