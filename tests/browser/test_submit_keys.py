"""`#/submit`: what a task has to do with others, field by field."""

from playwright.async_api import Locator, expect

from tests.acceptance.deployment import Api
from tests.browser.conftest import NARROW, OpenTab
from tests.browser.stock import claim
from tests.browser.tab import Tab
from tests.browser.tasks import button, one, task_of
from tests.browser.test_submit import fill, tasks


def field(tab: Tab, name: str) -> Locator:
    return tab.main.locator(f"[id='field-{name}']")


async def with_key(tab: Tab, queue: str, key: str = "customer-17", conflict: str = "keep") -> None:
    await fill(tab, queue)
    await field(tab, "unique.key").fill(key)
    await field(tab, "unique.conflict").select_option(conflict)


async def sent(tab: Tab) -> str:
    """What the page says of it."""
    await button(tab, "Submit").click()
    await button(tab, "Another one").wait_for()
    return await tab.main.get_by_role("link").inner_text()


async def test_a_second_task_of_a_key_is_the_first_one(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    await with_key(tab, "keep")
    said = await sent(tab)
    (task,) = tasks(site, "keep")
    assert said == f"Task {task['id']} is submitted."
    assert task["unique_key"] == "customer-17"
    await button(tab, "Another one").click()
    await with_key(tab, "keep")
    held = f"Task {task['id']} holds the unique key, so no other one was stored."
    assert await sent(tab) == held
    await button(tab, "Another one").click()
    await with_key(tab, "keep", conflict="replace")
    await tab.main.get_by_label("Description").fill("New")
    assert await sent(tab) == held
    assert [task["description"] for task in tasks(site, "keep")] == ["New"]


async def test_a_key_that_is_held_until_the_end_may_refuse(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    await with_key(tab, "reject", conflict="reject")
    await field(tab, "unique.while").select_option("active")
    await sent(tab)
    claim(site, "reject", 1)
    await button(tab, "Another one").click()
    await with_key(tab, "reject", conflict="reject")
    tab.expected = {409}
    await button(tab, "Submit").click()
    await expect(tab.main.get_by_role("alert")).to_contain_text("holds the unique key")
    assert len(tasks(site, "reject")) == 1


async def test_it_is_put_off_instead_of_given_a_time(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit", size=NARROW)
    await field(tab, "available_at").fill("2090-01-02T11:04:05")
    await with_key(tab, "debounce", conflict="debounce")
    for name in ("available_at", "unique.while"):
        await expect(field(tab, name)).to_have_count(0)
    await button(tab, "Submit").click()
    await expect(tab.main.locator(".fault")).to_have_text("Needed.")
    await expect(field(tab, "unique.debounce_seconds")).to_be_focused()
    await tab.assert_accessible()
    await field(tab, "unique.debounce_seconds").fill("60")
    await field(tab, "unique.debounce_limit_seconds").fill("30")
    tab.expected = {422}
    await button(tab, "Submit").click()
    about = tab.main.locator("[id='about-unique.debounce_limit_seconds']")
    await expect(about).to_contain_text("must be at least debounce_seconds")
    await field(tab, "unique.debounce_limit_seconds").fill("90")
    await sent(tab)
    (task,) = tasks(site, "debounce")
    assert task["waiting_on"] == "time"
    assert task["available_at"] < "2090"


async def test_without_a_key_nothing_is_said_of_one(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    await with_key(tab, "none", conflict="debounce")
    await field(tab, "unique.key").fill("")
    for name in ("while", "conflict", "debounce_seconds"):
        await expect(field(tab, f"unique.{name}")).to_have_count(0)
    await sent(tab)
    (task,) = tasks(site, "none")
    assert task["unique_key"] is None
    await button(tab, "Another one").click()
    await with_key(tab, "none", "k" * 129)
    await button(tab, "Submit").click()
    await expect(tab.main.locator(".fault")).to_have_text("At most 128 characters.")


async def test_it_waits_for_others_or_others_for_it(site: Api, open_tab: OpenTab) -> None:
    parents = [one(site, queue="parents") for _ in range(2)]
    tab = await open_tab(site.url, "#/submit")
    await fill(tab, "child")
    await expect(field(tab, "on_parent_failure")).to_have_count(0)
    await field(tab, "depends_on").fill(f"{parents[0]}, {parents[1]}")
    await expect(field(tab, "blocks")).to_have_count(0)
    await field(tab, "on_parent_failure").select_option("run")
    await sent(tab)
    (child,) = tasks(site, "child")
    assert child["waiting_on"] == "tasks"
    await button(tab, "Another one").click()
    await fill(tab, "blocking")
    await field(tab, "blocks").fill(str(child["id"]))
    await sent(tab)
    (blocking,) = tasks(site, "blocking")
    found = site.http.get(f"/tasks/{child['id']}/dependencies").json()["tasks"]
    assert [task["id"] for task in found] == [*parents, blocking["id"]]
    assert site.http.post(f"/admin/tasks/{parents[0]}/cancel").is_success
    assert task_of(site, child["id"])["status"] == "to_do"
