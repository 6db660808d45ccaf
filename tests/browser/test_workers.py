"""`#/workers`: who polls and runs what, and who has gone."""

from playwright.async_api import expect

from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Api, Deployment, until
from tests.browser.conftest import Look, OpenTab
from tests.browser.stock import post, submit

__all__ = ["deployment"]
STRANGE = "主机/1 %2F?#"


async def test_the_list_is_fit_to_look_at(look: Look) -> None:
    await look("workers", "#/workers")


async def test_one_is_fit_to_look_at(look: Look) -> None:
    await look("worker", "#/workers/worker-1.example")


async def test_a_worker_and_its_tasks(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/workers")
    row = tab.main.locator("tr[data-row='worker-1.example']")
    assert "Running" in await row.inner_text()
    held = row.get_by_role("link", name="2", exact=True)
    assert await held.get_attribute("href") == "#/tasks?worker=worker-1.example&status=in_progress"
    await row.focus()
    await tab.page.keyboard.press("Enter")
    tasks = tab.main.locator("tr[data-row]")
    await expect(tasks).to_have_count(2)
    leases = site.http.get("/admin/workers/worker-1.example").json()["leases"]
    assert await tasks.evaluate_all("rows => rows.map(row => row.dataset.href)") == [
        f"#/tasks/{lease['task_id']}" for lease in leases
    ]
    assert "Tasks that it holds" in await tab.main.inner_text()


async def test_those_that_have_gone_fade_and_can_be_left_out(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    for worker in ("gone", STRANGE):
        poll(api, worker, ["mail", "images"])
    until(lambda: len(api.http.get("/admin/workers").json()) == 2, "both are known")
    deployment.execute(
        "UPDATE workers SET first_seen_at = first_seen_at - INTERVAL 2 MINUTE, "
        "last_seen_at = last_seen_at - INTERVAL 2 MINUTE WHERE worker = 'gone'"
    )
    tab = await open_tab(api.url, "#/workers")
    rows = tab.main.locator("tr[data-row]")
    assert await rows.count() == 2
    faded = tab.main.locator("tr.faded")
    assert await faded.get_attribute("data-row") == "gone"
    assert "Silent" in await faded.inner_text()
    await tab.assert_accessible()
    await tab.main.get_by_label("Only those that have polled").check()
    await expect(rows).to_have_count(1)
    await tab.main.get_by_role("link", name=STRANGE).click()
    await expect(tab.main.locator("strong").first).to_have_text(STRANGE)
    assert "It holds no tasks." in await tab.main.inner_text()


async def test_one_that_nobody_knows(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, None)
    tab.expected = {404}
    await tab.go("#/workers/nobody%E0")
    assert "nobody%E0" in await tab.main.get_by_role("alert").inner_text()


async def test_where_no_worker_is_yet_it_says_how_to_begin(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    tab = await open_tab(api.url, "#/workers")
    assert "rowlock worker --handlers" in await tab.main.inner_text()
    submit(api, "mail", 1, "Newsletter")
    post(api, "/leases", {"worker": "first", "queues": ["mail"]})
    await tab.page.keyboard.press("r")
    await tab.main.get_by_role("link", name="first").wait_for()


def poll(api: Api, worker: str, queues: list[str]) -> None:
    post(api, "/leases", {"worker": worker, "queues": queues})
