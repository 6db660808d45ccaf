"""`#/schedules`: what comes, what came of it, and the levers."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from app.local.binary import ServerBinary
from tests.acceptance.deployment import Api, Deployment, ServeWith, until
from tests.browser.conftest import Look, OpenTab
from tests.browser.outage import on_mysql_of_its_own
from tests.browser.tab import Tab

NIGHTLY, QUICK, PAUSED, OVER = "夜间报告 nightly", "each second", "paused one", "it is over"
TOKEN = "only-to-look"


def put(api: Api, name: str, **fields: object) -> None:
    task = {"title": name, "queue": "reports", "payload": None}
    answer = api.http.put(f"/schedules/{quote(name, safe='')}", json={"task": task, **fields})
    assert answer.is_success, answer.text


def runs_of(api: Api, name: str) -> list[Any]:
    found: list[Any] = api.http.get(f"/schedules/{quote(name, safe='')}/runs").json()
    return found


def stock(api: Api) -> None:
    template = {"title": "report", "queue": "reports"}
    # Digits that a double would lose, as they were sent.
    body = '{"cron": "30 2 * * *", "timezone": "Europe/Berlin", "jitter_seconds": 600, "task": '
    body += '{"title": "report", "payload": {"id": 12345678901234567890, "10": 1, "9": 1.0}}}'
    answer = api.http.put(
        f"/schedules/{quote(NIGHTLY, safe='')}",
        content=body.encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.is_success, answer.text
    put(api, QUICK, interval_seconds=1, overlap="allow", task=template)
    put(api, PAUSED, cron="@daily", timezone="Asia/Shanghai")
    assert api.http.post(f"/admin/schedules/{quote(PAUSED)}/pause").is_success
    ends = datetime.now(UTC) - timedelta(days=1)
    begins = ends - timedelta(days=1)
    put(api, OVER, interval_seconds=3600, starts_at=begins.isoformat(), ends_at=ends.isoformat())


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, redis_url: str
) -> Iterator[Api]:
    """A server with a scheduler, whose schedules have run."""
    home = tmp_path_factory.mktemp("scheduled")
    with closing(Deployment(home, database_url=database_url, redis_url=redis_url)) as deployment:
        api = deployment.serve()
        deployment.schedule()
        stock(api)
        until(lambda: len(runs_of(api, QUICK)) > 2, "three runs")
        yield api


async def said(tab: Tab, text: str) -> None:
    """Beside the page, for a while."""
    await expect(tab.page.locator(".toast", has_text=text)).to_be_visible()


def view(name: str) -> str:
    return f"#/schedules/{quote(name, safe='')}"


async def test_it_is_fit_to_look_at(look: Look) -> None:
    await look("schedules", "#/schedules")
    await look("schedule", view(NIGHTLY))
    await look("schedule-history", view(QUICK))


async def test_the_list_says_when_each_runs(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/schedules")
    row = tab.main.locator(f"tr[data-row='{NIGHTLY}']")
    for part in ("30 2 * * *", "Europe/Berlin", "Active"):
        await expect(row).to_contain_text(part)
    await expect(tab.main.locator(f"tr[data-row='{PAUSED}']")).to_contain_text("Paused")
    await expect(tab.main.locator(f"tr[data-row='{OVER}']")).to_contain_text("Ended")
    last = tab.main.locator(f"tr[data-row='{QUICK}']").get_by_role("link", name="#")
    assert str(await last.get_attribute("href")).startswith("#/tasks/")
    await tab.main.get_by_role("link", name=NIGHTLY).click()
    await expect(tab.main.get_by_role("heading", name=NIGHTLY)).to_be_visible()


async def test_the_next_ten_in_their_zone_and_in_ones_own(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, view(NIGHTLY))
    table = tab.main.get_by_role("region", name="Next occurrences")
    rows = table.locator("tbody tr")
    await expect(rows).to_have_count(10)
    (first, *_) = site.http.get(f"/schedules/{quote(NIGHTLY)}/next").json()
    at = datetime.fromisoformat(first["occurrence_at"])
    cells = rows.first.locator("td")
    await expect(cells.nth(1)).to_contain_text("02:30:00")
    await expect(cells.nth(1)).to_contain_text(first["local"][-6:])
    # The browser is in Shanghai.
    here = (at + timedelta(hours=8)).strftime("%H:%M:%S")
    await expect(cells.nth(2)).to_contain_text(here)
    title = await cells.nth(2).locator("time").get_attribute("title")
    assert title == f"{at:%Y-%m-%d %H:%M:%S}.000 UTC"
    await expect(cells).to_have_count(4)  # with the jitter


async def test_the_template_is_digit_by_digit_what_was_sent(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, view(NIGHTLY))
    template = (await tab.main.locator(".json pre").inner_text()).replace(" ", "")
    assert '"id":12345678901234567890,\n"10":1,\n"9":1.0' in template


async def test_history_leads_to_its_tasks_page_by_page(
    deployment_of_many: Api, open_tab: OpenTab
) -> None:
    api = deployment_of_many
    tab = await open_tab(api.url, view(OVER))
    history = tab.main.get_by_role("region", name="History")
    rows = history.locator("tbody tr")
    await expect(rows).to_have_count(50)
    run = runs_of(api, OVER)[0]
    await expect(rows.first.get_by_role("link")).to_have_attribute(
        "href", f"#/tasks/{run['task_id']}"
    )
    await expect(rows.first).to_contain_text("by backfill")
    await tab.main.get_by_role("link", name="Next page").click()
    await expect(rows).to_have_count(10)
    await tab.main.get_by_role("link", name="First page").click()
    await expect(rows).to_have_count(50)


@pytest.fixture
def deployment_of_many(serve_with: ServeWith) -> Api:
    """One schedule with sixty runs, and no scheduler."""
    api = serve_with({})
    begins = datetime.now(UTC) - timedelta(minutes=60)
    ends = begins + timedelta(minutes=60)
    put(api, OVER, interval_seconds=60, starts_at=begins.isoformat())
    span = {"from": begins.isoformat(), "to": ends.isoformat()}
    assert api.http.post(f"/schedules/{quote(OVER)}/backfill", json=span).json()["submitted"] == 60
    return api


async def test_pause_has_a_way_back(site: Api, open_tab: OpenTab) -> None:
    put(site, "to pause", cron="@daily")
    tab = await open_tab(site.url, view("to pause"))

    def is_paused() -> bool:
        found: dict[str, Any] = site.http.get("/schedules/to%20pause").json()
        return found["paused_at"] is not None

    await tab.main.get_by_role("button", name="Pause").click()
    await tab.main.get_by_role("button", name="Resume").wait_for()
    assert is_paused()
    await tab.assert_accessible()
    await tab.page.get_by_role("button", name="Undo").click()
    await tab.main.get_by_role("button", name="Pause").wait_for()
    assert not is_paused()


async def test_run_now_is_one_run_even_if_its_answer_is_lost(site: Api, open_tab: OpenTab) -> None:
    put(site, "by hand", cron="@yearly")
    tab = await open_tab(site.url, view("by hand"))
    tab.expected = {0}
    run = tab.main.get_by_role("button", name="Run now")

    async def lose(route: Any) -> None:
        await route.fetch()  # the server has done it
        await route.abort()

    await tab.page.route("**/run", lose)
    await run.click()
    await said(tab, "The server does not answer.")
    assert len(runs_of(site, "by hand")) == 1
    await tab.page.unroute("**/run")
    await run.click()
    (only,) = runs_of(site, "by hand")
    await said(tab, f"Submitted as task {only['task_id']}.")
    history = tab.main.get_by_role("region", name="History")
    await expect(history.get_by_role("link", name=f"#{only['task_id']}")).to_be_visible()
    await run.click()
    await expect(history.locator("tbody tr")).to_have_count(2)


async def test_backfill_says_how_many_first(site: Api, open_tab: OpenTab) -> None:
    now = datetime.now(UTC)
    begins = (now - timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    put(site, "hourly", interval_seconds=3600, starts_at=begins.isoformat())
    tab = await open_tab(site.url, view("hourly"))
    await tab.main.get_by_role("button", name="Backfill").click()
    dialog = tab.page.get_by_role("dialog", name="Backfill hourly")
    here = begins + timedelta(hours=8)  # in Shanghai
    await dialog.get_by_label("From").fill(f"{here:%Y-%m-%dT%H:%M:%S}")
    await dialog.get_by_label("To").fill(f"{here + timedelta(hours=5):%Y-%m-%dT%H:%M:%S}")
    await expect(dialog).to_contain_text("5 occurrences.")
    await tab.assert_accessible()
    await dialog.get_by_label("To").fill(f"{here - timedelta(hours=5):%Y-%m-%dT%H:%M:%S}")
    await expect(dialog).to_contain_text("must be later")
    confirm = dialog.get_by_role("button", name="Backfill")
    await expect(confirm).to_be_disabled()
    await dialog.get_by_label("To").fill(f"{here + timedelta(days=9):%Y-%m-%dT%H:%M:%S}")
    await expect(dialog).to_contain_text("must not be in the future")
    await expect(confirm).to_be_disabled()
    await dialog.get_by_label("To").fill(f"{here + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}")
    await confirm.click()
    await said(tab, "2 tasks submitted")
    filled = [run["occurrence_at"] for run in runs_of(site, "hourly") if run["kind"] == "backfill"]
    assert [datetime.fromisoformat(at) for at in filled] == [
        begins + timedelta(hours=1),
        begins,
    ]


@pytest.mark.parametrize("name", ["a/b", "%", "no such one", "%E0%A4%A"])
async def test_a_name_that_is_none_is_said_by_the_api(
    site: Api, open_tab: OpenTab, name: str
) -> None:
    tab = await open_tab(site.url, None)
    tab.expected = {404, 422}
    await tab.go("#/schedules/" + (name if name.startswith("%E") else quote(name, safe="")))
    assert await tab.main.get_by_role("alert").inner_text()


async def test_who_may_only_look_has_no_buttons(
    tmp_path: Path, database_url: str, redis_url: str, open_tab: OpenTab
) -> None:
    settings = {f"{door}_TOKENS": "all" for door in ("CLIENT", "WORKER", "ADMIN")}
    settings["VIEWER_TOKENS"] = TOKEN
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url, settings=settings)
    ) as deployment:
        api = deployment.serve()
        api.http.headers["Authorization"] = "Bearer all"
        put(api, NIGHTLY, cron="@daily")
        tab = await open_tab(api.url, None)
        tab.expected = {401}
        await tab.go(view(NIGHTLY))
        await tab.sign_in(TOKEN)
        await tab.main.get_by_role("heading", name=NIGHTLY).wait_for()
        assert await tab.main.get_by_role("button").all_inner_texts() == ["Copy"]


async def test_with_mysql_away_the_last_data_stay_and_say_how_old_they_are(
    tmp_path: Path, mysql_binary: ServerBinary, redis_url: str, open_tab: OpenTab
) -> None:
    with on_mysql_of_its_own(tmp_path, mysql_binary, redis_url) as (mysql, deployment):
        api = deployment.serve()
        put(api, NIGHTLY, cron="@daily")
        tab = await open_tab(api.url, view(NIGHTLY))
        tab.expected = {503}
        mysql.kill()
        await tab.page.keyboard.press("r")
        note = tab.main.get_by_role("alert")
        await note.wait_for()
        await expect(note).to_contain_text("It asks to wait")
        await expect(note).to_contain_text("Shown is what was true")
        await expect(tab.main).to_contain_text("@daily")
        mysql.start()
        until(lambda: api.http.get("/readyz").is_success, "ready again")
        await note.get_by_role("button", name="Try again").click()
        await note.wait_for(state="detached")
