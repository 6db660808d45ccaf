"""Language, colours, keys, and how often the page asks."""

from playwright.async_api import Page, expect

from tests.acceptance.deployment import Api
from tests.browser.conftest import NARROW, OpenTab

CALLS_A_MINUTE = 20


async def test_the_browsers_language_at_first_and_another_when_chosen(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, language="zh")
    await expect(tab.page).to_have_title("概览 – Rowlock")
    assert await tab.page.locator("html").get_attribute("lang") == "zh-CN"
    await tab.page.get_by_label("语言").select_option("English")
    await expect(tab.page).to_have_title("Overview – Rowlock")
    await tab.page.reload()
    await tab.settled()
    await expect(tab.page).to_have_title("Overview – Rowlock")


async def test_the_systems_colours_at_first_and_others_when_chosen(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, theme="dark")

    async def ground() -> str:
        colour = "getComputedStyle(document.documentElement).backgroundColor"
        return str(await tab.page.evaluate(colour))

    dark = await ground()
    await tab.page.get_by_label("Theme").select_option("Light")
    light = await ground()
    assert light != dark
    await tab.page.reload()
    await tab.settled()
    assert await ground() == light


async def test_keys_lead_everywhere(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/nowhere")
    page = tab.page
    assert await tab.main.inner_text() == "There is no such page."
    await page.keyboard.press("g")
    await page.keyboard.press("o")
    await tab.main.get_by_role("link", name="images", exact=True).wait_for()
    assert page.url.endswith("#/")
    rows = ["mail", "images", "reports", "nightly"]
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        await page.keyboard.press(key)
        focused = await page.evaluate("document.activeElement.dataset.row")
        assert focused == rows[at]
    await page.keyboard.press("Enter")
    assert page.url.endswith("#/queues/mail")


async def test_help_lists_the_keys_and_nothing_moves_behind_it(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url)
    await tab.page.keyboard.press("?")
    dialog = tab.page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(dialog).to_contain_text("Go to Overview")
    await tab.assert_accessible()
    await tab.page.keyboard.press("j")
    assert await tab.page.evaluate("document.activeElement.closest('dialog') !== null")
    assert "Paused while you choose" in await tab.page.locator("header").inner_text()
    await tab.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_a_page_that_is_only_open_asks_seldom_and_a_hidden_one_never(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, None)
    await tab.page.clock.install()
    await tab.go()
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")

    assert await tab.passes(60) > CALLS_A_MINUTE  # a person has just been at it
    assert 5 < await tab.passes(60) <= CALLS_A_MINUTE
    await hide(tab.page, is_hidden=True)
    assert await tab.passes(120) == 0
    await hide(tab.page, is_hidden=False)
    assert await tab.passes(3) > 0
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh off")
    await tab.passes(1)
    assert await tab.passes(120) == 0


async def hide(page: Page, *, is_hidden: bool) -> None:
    """As when another tab is in front."""
    await page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, 'hidden', { get: () => isHidden, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        is_hidden,
    )


async def test_on_a_phone_all_is_within_reach(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, size=(360, NARROW[1]))
    assert await tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    await tab.page.get_by_label("Language").select_option("简体中文")
    await expect(tab.page).to_have_title("概览 – Rowlock")
