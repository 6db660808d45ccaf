"""`#/tasks`: what is listed, all of it in the address."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.acceptance.deployment import Api
from tests.browser.conftest import Look, OpenTab
from tests.browser.task_list import rows, titles, view, write


async def test_it_is_fit_to_look_at(look: Look) -> None:
    await look("tasks", "#/tasks")


async def test_it_is_fit_to_look_at_with_filters(look: Look) -> None:
    await look("tasks-filtered", "#/tasks?queue=mail&status=to_do&created_after=24h&title=invoice")


async def test_what_is_written_becomes_filters_and_the_address(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, "#/tasks")
    await write(
        tab, 'queue:mail status:to_do,done priority:medium title:"send inv" created_after:1h'
    )
    assert view(tab) == [
        ("queue", "mail"),
        ("status", "to_do"),
        ("status", "done"),
        ("priority", "中"),
        ("created_after", "1h"),
        ("title", "send inv"),
    ]
    await expect(rows(tab)).to_have_count(28)
    await write(tab, "invoice 7")  # words are of the title, of which there is one
    assert view(tab)[-1] == ("title", "invoice 7")
    await expect(rows(tab)).to_have_count(1)
    assert await titles(tab) == ["Send invoice 7"]
    await write(tab, "created_before:2020-05-01")
    assert view(tab)[-1] == ("created_before", "2020-04-30T16:00:00.000Z")  # of the person's day
    await expect(tab.main.locator(".filter").last).to_contain_text(
        "created_before: May 1, 2020, 00:00"
    )


async def test_an_address_is_the_view(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=mail&status=done")
    await expect(tab.main.locator(".filter")).to_have_text(
        [re.compile("queue: mail"), re.compile("status: done")]
    )
    await expect(rows(tab)).to_have_count(18)
    await expect(tab.main.get_by_text("18 found")).to_be_visible()
    await tab.main.get_by_role("button", name="Remove status: done").click()
    await expect(rows(tab)).to_have_count(30)
    await tab.page.go_back()
    await expect(rows(tab)).to_have_count(18)
    await tab.page.reload()
    await expect(rows(tab)).to_have_count(18)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour:red", 'There is no filter “colour”. To find it in titles, write "colour:red"'),
        ("status:finished", "status cannot be “finished”."),
        ("id:seven", "id cannot be “seven”."),
        ("due_after:soon", "due_after cannot be “soon”."),
        ("mail queue:", "A value is missing after queue:"),
    ],
)
async def test_what_is_no_filter_is_said(
    site: Api, open_tab: OpenTab, text: str, said: str
) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=mail")
    await write(tab, text)
    assert await tab.main.get_by_role("alert").inner_text() == said
    assert await tab.main.get_by_label("Filter").input_value() == text
    assert view(tab) == [("queue", "mail")]


async def test_a_filter_is_completed_and_changed(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=mail")
    options = tab.main.locator("datalist option")

    async def offered() -> list[str]:
        found: list[str] = await options.evaluate_all("all => all.map(one => one.value)")
        return found

    line = tab.main.get_by_label("Filter")
    await line.fill("created")
    assert await offered() == ["created_after:", "created_before:"]
    await line.fill("invoice status:pa")
    assert await offered() == ["invoice status:paused"]
    await line.fill("queue:")
    assert await offered() == ["queue:mail"]
    await line.fill("")
    await line.press("Backspace")
    assert await line.input_value() == "queue:mail"
    await line.press_sequentially(",images")
    await line.press("Enter")
    await expect(tab.main.get_by_text("42 found")).to_be_visible()
    assert view(tab) == [("queue", "mail"), ("queue", "images")]


async def test_what_a_row_says_refines_the_list(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks")
    row = tab.main.locator("tr[data-row='43']")
    await row.get_by_role("link", name="reports").click()
    await expect(rows(tab)).to_have_count(4)
    await row.get_by_role("link", name="Failed").click()
    await expect(rows(tab)).to_have_count(1)
    assert view(tab) == [("queue", "reports"), ("status", "failed")]
    await row.get_by_role("link", name="Weekly report 1").click()
    assert tab.page.url.endswith("#/tasks/43")


async def test_keys_choose_and_open_rows(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=nightly")
    await tab.page.keyboard.press("/")
    await expect(tab.main.get_by_label("Filter")).to_be_focused()
    await tab.main.get_by_text("3 found").click()
    for key in ("j", "x", "j", "x"):
        await tab.page.keyboard.press(key)
    await expect(tab.main.get_by_text("2 selected")).to_be_visible()
    await expect(tab.page.locator("header")).to_contain_text("Paused while you choose")
    await tab.page.keyboard.press("k")
    await tab.page.keyboard.press("Enter")
    assert tab.page.url.endswith("#/tasks/49")


async def test_filters_that_hide_all_can_be_cleared(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=nobody")
    await expect(tab.main.get_by_text("Nothing matches the filters.")).to_be_visible()
    await tab.assert_accessible()
    await tab.main.get_by_role("button", name="Clear filters").click()
    await expect(rows(tab)).to_have_count(49)


async def test_columns_are_chosen_and_kept(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=images&status=retrying")
    await tab.main.get_by_text("Columns", exact=True).click()
    await tab.main.get_by_label("Error").check()
    await tab.main.get_by_label("Tags").uncheck()
    await tab.assert_accessible()
    await tab.page.reload()
    await tab.settled()
    heads = await tab.main.locator("thead th").all_inner_texts()
    assert heads[1:] == [
        *("ID", "Title", "Status", "Priority", "Queue", "Attempts", "Created", "Error")
    ]
    await expect(rows(tab).first).to_contain_text("ConnectionError: refused")


async def test_a_view_is_kept_by_a_name(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=mail&created_after=24h")
    await tab.main.get_by_label("Order").select_option("Oldest first")
    await tab.main.get_by_text("Views", exact=True).click()
    await tab.main.get_by_label("Name of this view").fill("Mail today")
    await tab.page.keyboard.press("Enter")
    await tab.page.reload()
    await tab.go("#/tasks")
    await tab.main.get_by_text("Views", exact=True).click()
    await tab.main.get_by_role("link", name="Mail today").click()
    await expect(rows(tab)).to_have_count(30)
    assert view(tab) == [("queue", "mail"), ("created_after", "24h"), ("order", "asc")]
    assert (await titles(tab))[0] == "Send invoice 1"


async def test_the_list_is_copied_as_commands_that_give_it(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/tasks?queue=mail&status=to_do&created_after=24h&title=it%27s")
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await write(tab, "invoice 2")
    await tab.main.get_by_text("Copy, export").click()
    wanted = {f"Send invoice {n}" for n in range(21, 30)}
    for name, option in (("curl", ""), ("rowlock command", " --json")):
        await tab.main.get_by_role("button", name=f"Copy as {name}").click()
        copied = await tab.page.evaluate("navigator.clipboard.readText()")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        run = await asyncio.create_subprocess_shell(
            copied + option, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PATH": path}
        )
        printed = (await run.communicate())[0].decode()
        found = json.loads(printed if name == "curl" else f"[{','.join(printed.splitlines())}]")
        assert {task["title"] for task in found} == wanted, copied


async def test_a_search_that_takes_too_long_says_what_to_add(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, None)
    tab.expected = {422}
    await tab.page.clock.install()

    async def refuse(route: Route) -> None:
        problem = {"title": "Search too slow", "status": 422, "detail": "…"}
        await route.fulfill(status=422, json=problem, content_type="application/problem+json")

    slow = re.compile(r"/tasks\?(?!.*created_after)")
    await tab.page.route(slow, refuse)
    await tab.go("#/tasks?worker=w&queue=mail")
    await expect(tab.main.get_by_role("alert")).to_contain_text("This search would take too long.")
    await expect(tab.main.locator(".filter")).to_have_count(2)
    await tab.assert_accessible()
    assert await tab.passes(60) == 0  # nobody makes MySQL work for nothing
    await tab.main.get_by_role("link", name="created_after: 24h").click()
    await expect(tab.main.get_by_text("Nothing matches the filters.")).to_be_visible()
    assert view(tab) == [("worker", "w"), ("queue", "mail"), ("created_after", "24h")]


async def test_without_a_clipboard_the_text_is_there_to_be_copied(
    site: Api, open_tab: OpenTab
) -> None:
    tab = await open_tab(site.url, None)
    # As in a page that came by http from another machine.
    await tab.page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    await tab.go("#/tasks?queue=mail")
    await tab.main.get_by_text("Copy, export").click()
    await tab.main.get_by_role("button", name="Copy as curl").click()
    text = tab.main.get_by_role("textbox", name="Copy as curl")
    await expect(text).to_be_focused()
    assert await tab.page.evaluate("getSelection().toString()") == await text.input_value()
    await tab.assert_accessible()
