"""A list of tasks as a tab shows it."""

from urllib.parse import parse_qsl

from playwright.async_api import Locator

from tests.browser.tab import Tab


def rows(tab: Tab) -> Locator:
    return tab.main.locator("tr[data-row]")


async def titles(tab: Tab) -> list[str]:
    return await rows(tab).locator("a.clip").all_inner_texts()


def view(tab: Tab) -> list[tuple[str, str]]:
    """What the address says."""
    return parse_qsl(tab.page.url.partition("?")[2])


async def write(tab: Tab, text: str) -> None:
    """Into the filter, as a person would."""
    await tab.main.get_by_label("Filter").fill(text)
    await tab.page.keyboard.press("Enter")
    await tab.settled()
