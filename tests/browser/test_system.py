"""`#/system`: what the doctor found, with the fix, and who is at work."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from app.local.binary import ServerBinary
from tests.acceptance.deployment import Api, Deployment, until
from tests.browser.conftest import Look, OpenTab
from tests.browser.outage import on_mysql_of_its_own
from tests.browser.tab import Tab

TOKEN = "only-to-look"


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, redis_url: str
) -> Iterator[Api]:
    """A server with a scheduler that has reported."""
    home = tmp_path_factory.mktemp("system")
    with closing(Deployment(home, database_url=database_url, redis_url=redis_url)) as deployment:
        api = deployment.serve()
        deployment.schedule()
        until(lambda: len(processes_of(api)) > 1, "both have been seen")
        until(lambda: bool(sweeps_of(api)), "a sweep has been reported")
        yield api


def processes_of(api: Api) -> list[Any]:
    found: list[Any] = api.http.get("/admin/processes").json()["processes"]
    return found


def sweeps_of(api: Api) -> list[Any]:
    found: list[Any] = api.http.get("/admin/processes").json()["sweeps"]
    return found


def table(tab: Tab, label: str) -> Locator:
    return tab.main.get_by_role("region", name=label)


async def test_it_is_fit_to_look_at(look: Look) -> None:
    await look("system", "#/system")


async def test_each_finding_is_there_and_what_is_wrong_comes_first_with_its_fix(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, "#/system")
    findings = site.http.get("/admin/doctor").json()["findings"]
    rows = table(tab, "What was looked at").locator("tbody tr")
    await expect(rows).to_have_count(len(findings))
    # The tests' server does not flush its log at each commit.
    durability = tab.main.locator(".finding.bad", has_text="innodb_flush_log_at_trx_commit")
    fix = "SET PERSIST innodb_flush_log_at_trx_commit = 1;"
    await expect(durability).to_contain_text(fix)
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await durability.get_by_role("button", name="Copy the fix").click()
    await durability.get_by_role("button", name="Copied").wait_for()
    assert await tab.page.evaluate("navigator.clipboard.readText()") == fix


async def test_what_was_looked_at_is_said_in_the_language_of_the_page(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, "#/system", language="zh")
    rows = table(tab, "检查项目").locator("tbody tr")
    for place, finding in enumerate(site.http.get("/admin/doctor").json()["findings"]):
        row = rows.nth(place)
        name = await row.locator("td").first.inner_text()
        verdict, said = name.split(maxsplit=1)
        assert verdict in ("正常", "注意", "异常")
        assert said == "Redis" or re.search(r"[\u4e00-\u9fff].* " + finding["what"], said)
        # The details are the server's, and are read aloud as what they are.
        await expect(row.locator("[lang=en]")).to_have_count(1)


async def test_what_a_201_means_here(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/system")
    promise = tab.main.locator("section", has_text="What a 201 of this server means now")
    stored = promise.locator(".about > div", has_text="Is the task on disk?")
    await expect(stored).to_contain_text("may be lost in a crash")
    once = promise.locator(".about > div", has_text="Can two workers get it?")
    await expect(once).to_contain_text("a second connection skips the locked row")
    clock = promise.locator(".about > div", has_text="Whose clock counts?")
    await expect(clock).to_contain_text("from this machine's clock")


async def test_who_is_at_work_and_what_time_does(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/system")
    rows = table(tab, "Processes").locator("tbody tr")
    assert sorted(await rows.locator("td:first-child").all_inner_texts()) == ["api", "scheduler"]
    await expect(rows.first).to_contain_text(site.http.get("/me").json()["version"])
    sweeps = table(tab, "Sweeps").locator("tbody tr td:first-child")
    assert await sweeps.all_inner_texts() == [each["sweep"] for each in sweeps_of(site)]


async def test_a_scheduler_that_has_stopped_and_a_second_version(
    tmp_path: Path, database_url: str, redis_url: str, open_tab: OpenTab
) -> None:
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url)
    ) as deployment:
        api = deployment.serve()
        until(lambda: len(processes_of(api)) == 1, "the API has been seen")
        deployment.execute(
            "INSERT INTO sweep_reports (sweep, runs, moved, last_run_at) "
            "VALUES ('promote', 7, 3, UTC_TIMESTAMP(6) - INTERVAL 1 HOUR)"
        )
        deployment.execute(
            "INSERT INTO processes (id, kind, version, running_since, last_seen_at) "
            "SELECT REPEAT('a', 32), kind, '0.0.9', running_since, last_seen_at FROM processes"
        )
        tab = await open_tab(api.url, "#/system")
        await expect(tab.main).to_contain_text("Several versions: 0.0.9, 0.1.0")
        await expect(table(tab, "Sweeps").locator("tbody tr")).to_contain_text("Stopped")
        stopped = tab.main.locator(".finding", has_text="no scheduler has run for")
        await expect(stopped).to_contain_text("rowlock scheduler")


async def test_the_grant_that_a_user_without_rights_needs(
    tmp_path: Path, mysql_binary: ServerBinary, redis_url: str, open_tab: OpenTab
) -> None:
    with on_mysql_of_its_own(tmp_path, mysql_binary, redis_url) as (_, deployment):
        deployment.execute("REVOKE PROCESS ON *.* FROM CURRENT_USER()", on_server=True)
        api = deployment.serve()
        tab = await open_tab(api.url, "#/system")
        oldest = tab.main.locator(".finding", has_text="oldest transaction")
        await expect(oldest.locator("div code")).to_contain_text(
            "GRANT PROCESS ON *.* TO 'rowlock'@"
        )


async def test_who_may_only_look_sees_it_all_and_changes_nothing(
    tmp_path: Path, database_url: str, redis_url: str, open_tab: OpenTab
) -> None:
    settings = {f"{door}_TOKENS": "all" for door in ("CLIENT", "WORKER", "ADMIN")}
    settings["VIEWER_TOKENS"] = TOKEN
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url, settings=settings)
    ) as deployment:
        api = deployment.serve()
        tab = await open_tab(api.url, None)
        tab.expected = {401}
        await tab.go("#/system")
        await tab.sign_in(TOKEN)
        await table(tab, "Processes").wait_for()
        said = await tab.main.locator("button:not(th button)").all_inner_texts()
        assert set(said) == {"Copy the fix"}


async def test_a_client_token_is_told_which_door_is_missing(
    tmp_path: Path, database_url: str, redis_url: str, open_tab: OpenTab
) -> None:
    settings = {"CLIENT_TOKENS": "client", "WORKER_TOKENS": "worker", "ADMIN_TOKENS": "admin"}
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url, settings=settings)
    ) as deployment:
        api = deployment.serve()
        tab = await open_tab(api.url, None)
        tab.expected = {401, 403}
        await tab.go("#/system")
        await tab.sign_in("client")
        await expect(tab.main.get_by_role("alert").first).to_contain_text("does not open this")


async def test_with_mysql_away_the_last_data_stay_and_it_recovers(
    tmp_path: Path, mysql_binary: ServerBinary, redis_url: str, open_tab: OpenTab
) -> None:
    with on_mysql_of_its_own(tmp_path, mysql_binary, redis_url) as (mysql, deployment):
        api = deployment.serve()
        until(lambda: len(processes_of(api)) == 1, "the API has been seen")
        tab = await open_tab(api.url, "#/system")
        tab.expected = {503}
        mysql.kill()
        await tab.page.keyboard.press("r")
        note = tab.main.get_by_role("alert")
        await note.wait_for()
        await expect(note).to_contain_text("It asks to wait")
        await expect(note).to_contain_text("Shown is what was true")
        await expect(table(tab, "Processes").locator("tbody tr")).to_have_count(1)
        mysql.start()
        until(lambda: api.http.get("/readyz").is_success, "ready again")
        await note.get_by_role("button", name="Try again").click()
        await note.wait_for(state="detached")
