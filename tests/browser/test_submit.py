"""`#/submit`: a task by hand, once."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Request, Route, expect

from tests.acceptance.deployment import Api, until
from tests.browser.conftest import Look, OpenTab
from tests.browser.stock import submit
from tests.browser.tab import Tab
from tests.browser.tasks import DIGITS, button


def tasks(api: Api, queue: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.http.get("/tasks", params={"queue": queue}).json()
    return found


async def fill(tab: Tab, queue: str, title: str = "Send invoice") -> None:
    await tab.main.get_by_label("Title").fill(title)
    await tab.main.get_by_label("Queue").fill(queue)


async def test_it_is_fit_to_look_at(look: Look) -> None:
    await look("submit", "#/submit")


async def test_all_that_is_filled_in_arrives(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    page = tab.main
    await fill(tab, "all", " Send invoice ")
    await page.get_by_label("Priority").select_option("High")
    for tag in ("核心业务", "a, b", "核心业务"):
        await page.get_by_label("Tags").fill(tag)
        await page.get_by_label("Tags").press("Enter")
    await page.get_by_label("Tags").fill("left")  # what stands there counts as well
    await page.get_by_label("Payload").fill(f'{{"n": {DIGITS}, "2": 1, "1": [null]}}')
    await page.get_by_label("Description").fill("Two\nlines")
    await page.get_by_label("Not before").fill("2090-01-02T11:04:05")
    await page.get_by_label("Due").fill("2090-01-03T08:00")
    await page.get_by_label("Time limit").fill("60")
    await page.get_by_label("Retries at most").fill("0")
    await page.get_by_label("Delay before").fill("")  # what is usual
    await page.get_by_label("How the delay").select_option("linear")
    await button(tab, "Submit").click()
    await page.get_by_role("link", name="is submitted").click()
    await expect(tab.main.locator(".task h2")).to_have_text("Send invoice")
    (task,) = tasks(site, "all")
    expected = {
        "title": "Send invoice",
        "description": "Two\nlines",
        "priority": "高",
        "tags": ["a, b", "left", "核心业务"],
        "payload": {"n": int(DIGITS), "2": 1, "1": [None]},
        "available_at": "2090-01-02T03:04:05Z",
        "due_date": "2090-01-03T00:00:00Z",
        "timeout_seconds": 60,
        "retry_limit": 0,
        "retry_delay_seconds": 5,
        "retry_backoff": "linear",
    }
    assert {name: task[name] for name in expected} == expected
    assert list(task["payload"]) == ["n", "2", "1"]


async def test_what_is_wrong_stands_beside_its_field(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    page = tab.main
    await fill(tab, "Not a queue", "")
    await page.get_by_label("Payload").fill('{"a": 1,\n "b": }')
    await page.get_by_label("Time limit").fill("1.5")
    await button(tab, "Submit").click()
    await expect(page.get_by_label("Title")).to_be_focused()
    said = {
        "title": "Needed.",
        "queue": "1 to 64 of",
        "payload": "No valid JSON: line 2, column 7",
        "timeout_seconds": "A whole number from 1 to 2,592,000",
    }
    for name, text in said.items():
        await expect(page.locator(f"#about-{name} .fault")).to_contain_text(text)
    assert await page.locator("[aria-invalid]").count() == len(said)
    await tab.assert_accessible()
    assert not [call for call in tab.calls if call.startswith("POST")]

    tab.expected = {422}
    await fill(tab, "wrong")
    await page.get_by_label("Time limit").fill("2")
    await page.get_by_label("Payload").fill('{"a": 1e400}')
    await button(tab, "Submit").click()
    await expect(page.locator("#about-payload .fault")).to_contain_text("too large to store")
    await expect(page.get_by_label("Payload")).to_be_focused()
    assert tasks(site, "wrong") == []
    await page.get_by_label("Payload").fill('{"a": 1}')
    await button(tab, "Submit").click()
    await page.get_by_role("link", name="is submitted").wait_for()
    assert len(tasks(site, "wrong")) == 1


async def test_twice_pressed_is_one_task(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    gate = asyncio.Event()

    async def slowly(route: Route, request: Request) -> None:
        if request.method == "POST":
            await gate.wait()
        await route.continue_()

    await tab.page.route("**/tasks", slowly)
    await fill(tab, "twice")
    await tab.main.get_by_label("Title").press("Enter")
    await tab.main.get_by_label("Title").press("Enter")
    await expect(button(tab, "Submit")).to_be_disabled()
    gate.set()
    await button(tab, "Another one").click()
    assert len(tasks(site, "twice")) == 1
    await fill(tab, "twice", "The next")
    await button(tab, "Submit").click()
    await button(tab, "Another one").wait_for()
    assert [task["title"] for task in tasks(site, "twice")] == ["The next", "Send invoice"]


async def lose_an_answer(tab: Tab) -> None:
    """The server stores what comes next, and nobody hears of it."""

    async def lose(route: Route, _request: Request) -> None:
        await route.fetch()
        await route.abort("connectionreset")

    tab.expected = {0, 422}
    await tab.page.route("**/tasks", lose, times=1)


async def test_after_a_lost_answer_it_is_one_task(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    await lose_an_answer(tab)
    await fill(tab, "lost")
    await button(tab, "Submit").click()
    note = tab.main.get_by_role("alert")
    await expect(note).to_contain_text("The server does not answer.")
    (task,) = tasks(site, "lost")
    await note.get_by_role("button", name="Try again").click()
    await expect(tab.main.get_by_role("link")).to_have_text(f"Task {task['id']} is submitted.")
    assert len(tasks(site, "lost")) == 1


async def test_after_a_lost_answer_another_content_is_asked_about(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, "#/submit")
    await lose_an_answer(tab)
    await fill(tab, "other")
    await button(tab, "Submit").click()
    await tab.main.get_by_role("alert").wait_for()
    await fill(tab, "other", "Changed")
    await button(tab, "Submit").click()
    await expect(tab.main.get_by_role("alert")).to_contain_text("so there is a task already")
    assert len(tasks(site, "other")) == 1
    await button(tab, "Submit this one too").click()
    await button(tab, "Another one").wait_for()
    assert [task["title"] for task in tasks(site, "other")] == ["Changed", "Send invoice"]


@pytest.mark.parametrize("padding", [0, 256 * 1024])
async def test_from_another_task_as_its_template(
    site: Api, open_tab: OpenTab, padding: int
) -> None:
    payload = f'{{"b":{DIGITS},"a":[1.5,{{}}],"text":""}}'
    payload = payload.replace('""', f'"{"x" * (padding - len(payload))}"')
    answer = site.http.post(
        "/tasks",
        content=f'{{"title": "First", "queue": "copies", "tags": ["a"], "priority": "低",'
        f' "retry_limit": 9, "available_at": "2001-01-01T00:00:00Z", "payload": {payload}}}',
        headers={"Content-Type": "application/json"},
    )
    tab = await open_tab(site.url, f"#/tasks/{answer.json()['id']}")
    await tab.main.get_by_role("link", name="Submit a changed copy").click()
    await tab.main.get_by_label("Title").fill("Second")
    await button(tab, "Submit").click()
    await tab.main.get_by_role("link", name="is submitted").wait_for()
    copy, first = tasks(site, "copies")[:2]
    assert copy["title"] == "Second"
    for name in ("tags", "priority", "retry_limit", "payload"):
        assert copy[name] == first[name]
    assert copy["available_at"] is None


async def test_a_template_that_is_not_there(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, None)
    tab.expected = {404, 422}
    for given in ("999999", "nothing"):
        await tab.go(f"#/submit?from={given}")
        await tab.main.get_by_role("alert").wait_for()


async def test_what_is_known_is_offered(site: Api, open_tab: OpenTab) -> None:
    submit(site, "known", 1, "x", tags=["偶尔"])
    until(lambda: "known" in site.http.get("/stats").text, "counted")
    tab = await open_tab(site.url, "#/submit")
    for name, value in (("queue", "known"), ("tags", "偶尔")):
        options = tab.page.locator(f"#known-{name} option")
        await expect(options.first).to_be_attached()
        assert value in await options.evaluate_all("all => all.map(each => each.value)")


async def test_json_is_laid_out_on_demand(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/submit")
    payload = tab.main.get_by_label("Payload")
    await payload.fill(f'{{"b":[{DIGITS}],"a":{{}}}}')
    await button(tab, "Format").click()
    await expect(payload).to_have_value(f'{{\n  "b": [\n    {DIGITS}\n  ],\n  "a": {{}}\n}}')
