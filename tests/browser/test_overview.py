"""`#/`: what needs attention first, then how it goes."""

from tests.acceptance.deployment import Api, ServeWith
from tests.browser.conftest import Look, OpenTab
from tests.browser.stock import submit


async def test_it_is_fit_to_look_at(look: Look) -> None:
    await look("overview", "#/")


async def test_what_needs_attention_comes_first(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url)
    found = await tab.main.locator(".finding strong").all_inner_texts()
    assert found == [
        "No scheduler runs",
        "images: 100% of attempts failed",
        "nightly is paused",
    ]


async def test_each_number_leads_to_its_list(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url)
    total = tab.main.locator(".totals > div", has_text="In progress").get_by_role("link")
    assert await total.inner_text() == "2"
    assert await total.get_attribute("href") == "#/tasks?status=in_progress"
    row = tab.main.locator("tr[data-row=images]")
    assert await row.get_by_role("link", name="12").get_attribute("href") == (
        "#/tasks?queue=images&status=to_do&status=retrying"
    )


async def test_queues_are_sorted_and_the_address_says_how(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url)
    await tab.main.get_by_role("button", name="Waiting").click()
    rows = tab.main.locator("tr[data-row]")
    assert await rows.evaluate_all("rows => rows.map(row => row.dataset.row)") == [
        *("images", "mail", "reports", "nightly")
    ]
    assert tab.page.url.endswith("#/?sort=-waiting")


async def test_where_nothing_is_yet_it_says_how_to_begin(
    serve_with: ServeWith, open_tab: OpenTab
) -> None:
    api = serve_with({"SWEEP_INTERVAL_SECONDS": "1"})
    tab = await open_tab(api.url)
    assert f"curl -s {api.url}/tasks" in await tab.main.inner_text()
    submit(api, "default", 1, "First")
    await tab.page.keyboard.press("r")
    await tab.main.get_by_role("link", name="default").wait_for()
