"""`#/`: what needs attention first, then how it goes."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from app.local.ports import free_port
from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Api, Deployment, ServeWith, until
from tests.browser.conftest import Look, OpenTab
from tests.browser.stock import claim, fold_and_age, post, stock, submit
from tests.browser.tab import Tab

__all__ = ["deployment"]


async def test_it_is_fit_to_look_at(look: Look) -> None:
    await look("overview", "#/")


async def findings(tab: Tab) -> list[str]:
    return await tab.main.locator(".finding strong").all_inner_texts()


async def on_mysql_that_is(page: Page, verdict: str) -> None:
    """As if its settings were durable, or not: the server of the tests is everybody's."""

    async def pass_on(route: Route) -> None:
        answer = await route.fetch()
        examined = await answer.json()
        for finding in examined["findings"]:
            if finding["what"] in ("sync_binlog", "innodb_flush_log_at_trx_commit"):
                finding["verdict"] = "ok"
            if finding["what"] == "sync_binlog":
                finding |= {"verdict": verdict, "fix": "SET PERSIST sync_binlog = 1;"}
        await route.fulfill(response=answer, json=examined)

    await page.route("**/admin/doctor", pass_on)


@pytest.fixture
def open_durable(open_tab: OpenTab) -> OpenTab:
    """The overview, on a MySQL with nothing to say about."""

    async def open_durable(url: str) -> Tab:
        tab = await open_tab(url, None)
        await on_mysql_that_is(tab.page, "ok")
        await tab.go()
        return tab

    return open_durable


async def test_what_needs_attention_comes_first(site: Api, open_durable: OpenTab) -> None:
    tab = await open_durable(site.url)
    assert await findings(tab) == [
        "No scheduler runs",
        "images: 100% of attempts failed",
        "nightly is paused",
    ]


async def test_each_number_leads_to_its_list(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url)
    total = tab.main.locator(".totals > div", has_text="In progress").get_by_role("link")
    assert await total.inner_text() == "2"
    assert await total.get_attribute("href") == "#/tasks?status=in_progress"
    assert await tab.main.locator(".totals dd:not(:has(a))").count() == 0
    row = tab.main.locator("tr[data-row=images]")
    assert await row.get_by_role("link", name="12").get_attribute("href") == (
        "#/tasks?queue=images&status=to_do&status=retrying"
    )


async def test_where_nothing_is_yet_it_says_how_to_begin(
    serve_with: ServeWith, open_tab: OpenTab
) -> None:
    api = serve_with({"SWEEP_INTERVAL_SECONDS": "1"})
    tab = await open_tab(api.url)
    assert f"curl -s {api.url}/tasks" in await tab.main.inner_text()
    submit(api, "default", 1, "First")
    await tab.page.keyboard.press("r")
    await tab.main.get_by_role("link", name="default").wait_for()


async def test_it_is_quiet_where_all_is_well(deployment: Deployment, open_durable: OpenTab) -> None:
    api = deployment.serve()
    deployment.schedule()
    submit(api, "mail", 3, "Newsletter {}")
    claim(api, "mail", 1)
    until(lambda: api.http.get("/readyz").json()["parts"]["scheduler"] == "ok", "swept")
    tab = await open_durable(api.url)
    assert await findings(tab) == []
    assert "All is well. 1 queues, 2 waiting, 1 in progress." in await tab.main.inner_text()


async def test_queues_without_workers_and_workers_that_have_gone(
    deployment: Deployment, open_durable: OpenTab
) -> None:
    api = deployment.serve()
    deployment.schedule()
    for queue in ("mail", "images"):
        submit(api, queue, 2, "Something {}")
    for worker, queue in (("gone", "empty"), ("there", "images")):
        post(api, "/leases", {"worker": worker, "queues": [queue]})
    until(lambda: len(api.http.get("/admin/workers").json()) == 2, "both are known")
    deployment.execute("UPDATE tasks SET created_at = created_at - INTERVAL 2 MINUTE")
    deployment.execute(
        "UPDATE workers SET first_seen_at = first_seen_at - INTERVAL 2 MINUTE, "
        "last_seen_at = last_seen_at - INTERVAL 2 MINUTE WHERE worker = 'gone'"
    )
    tab = await open_durable(api.url)
    assert await findings(tab) == ["mail has no worker", "Workers gone silent: 1"]
    await tab.main.get_by_role("link", name="gone", exact=True).click()
    await expect(tab.main.locator("strong").first).to_have_text("gone")


async def test_a_sweep_that_has_stopped(deployment: Deployment, open_durable: OpenTab) -> None:
    api = deployment.serve()
    submit(api, "mail", 1, "Newsletter")
    scheduler = deployment.schedule()
    until(lambda: api.http.get("/readyz").json()["parts"]["scheduler"] == "ok", "swept")
    scheduler.stop()
    deployment.execute(
        "UPDATE sweep_reports SET last_run_at = last_run_at - INTERVAL 10 MINUTE "
        "WHERE sweep = 'promote'"
    )
    tab = await open_durable(api.url)
    assert await findings(tab) == ["The sweep promote has stopped"]
    assert "this one ran last 10 min ago" in await tab.main.inner_text()


@pytest.fixture
def without_redis(tmp_path: Path, database_url: str) -> Iterator[Api]:
    """A server whose Redis does not answer."""
    redis_url = f"redis://127.0.0.1:{free_port()}/0"
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url)
    ) as deployment:
        deployment.schedule()
        yield deployment.serve()


async def test_redis_that_is_away_and_what_the_doctor_finds_bad(
    without_redis: Api, open_tab: OpenTab
) -> None:
    submit(without_redis, "mail", 1, "Newsletter")
    tab = await open_tab(without_redis.url, None)
    await on_mysql_that_is(tab.page, "bad")
    await tab.go()
    assert await findings(tab) == ["A crash may lose tasks", "Redis is away"]
    await tab.main.get_by_role("button", name="Copy the fix").wait_for()


async def test_the_last_hour_is_drawn(deployment: Deployment, open_tab: OpenTab) -> None:
    api = deployment.serve()
    stock(api)
    fold_and_age(deployment)
    tab = await open_tab(api.url)
    chart = tab.main.get_by_role("figure", name="Throughput")
    await chart.wait_for()
    rows = await chart.locator(".unseen tr").all_inner_texts()
    assert [sum(map(int, row.split()[1:])) for row in rows] == [49, 18, 1]
    # A canvas on which nothing is drawn has one colour.
    colours = await chart.locator("canvas").evaluate(
        """(canvas) => new Set(new Uint32Array(canvas.getContext('2d')
          .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    )
    assert colours > 3
