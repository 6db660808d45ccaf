"""`#/tasks/7`: all of one task."""

import json
import re
import time

import pytest
from playwright.async_api import expect

from app.domain.states import TRANSITIONS
from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Api, Deployment
from tests.browser.conftest import NARROW, Look, OpenTab
from tests.browser.stock import claim, post
from tests.browser.tasks import DIGITS, assert_status, button, finish, one

__all__ = ["deployment"]

ERRORS = (
    "ConnectionError: refused\n  at mail.py:12\n  host mail-1.example",
    "ConnectionError: refused\n  at mail.py:12\n  host mail-2.example",
)


@pytest.fixture(scope="module")
def full(site: Api) -> int:
    """One that has gone through much, and runs."""
    task = one(
        site,
        queue="invoices",
        title="Send invoice 4711 to the customer",
        description="Monthly run.\nAsk accounting before it is sent twice.",
        priority="高",
        tags=["核心业务", "billing"],
        retry_delay_seconds=0,
        payload={"customer": 4711, "total": "129.90", "lines": [{"sku": "A-1", "n": 2}]},
    )
    for error in (*ERRORS, ERRORS[1]):
        finish(site, "invoices", "fail", error=error)
    (lease,) = claim(site, "invoices", 1)
    post(site, f"/leases/{lease['lease_id']}/heartbeat", {"progress": {"sent": 3, "of": 10}})
    return task


@pytest.fixture(scope="module")
def failed(site: Api) -> int:
    task = one(site, queue="failed", retry_limit=1, retry_delay_seconds=0, payload=[1, None])
    for error in ERRORS:
        finish(site, "failed", "fail", error=error)
    return task


async def test_it_is_fit_to_look_at(look: Look, full: int) -> None:
    await look("task", f"#/tasks/{full}")


async def test_a_failed_one_is_fit_to_look_at(look: Look, failed: int) -> None:
    await look("task-failed", f"#/tasks/{failed}")


async def test_the_longest_names_are_no_wider_than_a_phone(site: Api, open_tab: OpenTab) -> None:
    queue = "q" * 64
    task = one(site, title="标" * 255, queue=queue, tags=["t" * 64], payload=["x" * 999])
    post(site, "/leases", {"worker": "w" * 255, "queues": [queue]})
    tab = await open_tab(site.url, f"#/tasks/{task}", size=NARROW)
    assert await tab.page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    await button(tab, "Edit").click()
    assert await tab.page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


async def test_of_very_many_attempts_there_are_pages(site: Api, open_tab: OpenTab) -> None:
    task = one(site, queue="often", retry_limit=100, retry_delay_seconds=0)
    for n in range(101):
        finish(site, "often", "fail", error=f"Error {n + 1}")
    tab = await open_tab(site.url, f"#/tasks/{task}")
    await expect(tab.main.locator("[data-attempt]")).to_have_count(100)
    await button(tab, "Later attempts").click()
    await expect(tab.main.locator("[data-attempt]")).to_have_count(1)
    await expect(tab.main.locator("[data-attempt='101']")).to_contain_text("Error 101")
    await button(tab, "First attempts").click()
    await expect(tab.main.locator("[data-attempt]")).to_have_count(100)


async def test_the_diagram_has_each_step_and_shows_those_taken(
    site: Api, open_tab: OpenTab, full: int
) -> None:
    tab = await open_tab(site.url, f"#/tasks/{full}")
    steps = tab.main.locator(".diagram [data-step]")
    found = await steps.evaluate_all("all => all.map(each => each.dataset.step)")
    assert sorted(found) == sorted({f"{t.source} {t.target}" for t in TRANSITIONS if t.source})
    taken = await steps.evaluate_all(
        "all => all.filter(each => each.matches('.taken')).map(each => each.dataset.step)"
    )
    assert sorted(taken) == ["in_progress retrying", "retrying in_progress", "to_do in_progress"]
    picture = tab.main.get_by_role("img", name="To do → In progress → Retrying → In progress")
    assert await picture.is_visible()


async def test_while_it_runs_its_time_is_counted_down(
    site: Api, open_tab: OpenTab, full: int
) -> None:
    post(site, "/tasks", {"title": "x", "queue": "countdown", "timeout_seconds": 7000})
    (lease,) = post(
        site, "/leases", {"worker": "host-1", "queues": ["countdown"], "lease_seconds": 600}
    )
    tab = await open_tab(site.url, f"#/tasks/{lease['task']['id']}")
    await expect(tab.main.locator("[data-countdown=deadline]")).to_have_text(
        re.compile(r"1:5[56]:\d\d")
    )
    left = tab.main.locator("[data-countdown=lease]")
    before = await left.inner_text()
    assert re.fullmatch(r"(10:00|09:[45]\d)", before)
    await expect(left).not_to_have_text(before)
    await tab.go(f"#/tasks/{full}")
    assert '"sent": 3' in await tab.main.locator("[data-value=progress]").inner_text()


async def test_an_error_is_compared_with_the_one_before(
    site: Api, open_tab: OpenTab, full: int
) -> None:
    tab = await open_tab(site.url, f"#/tasks/{full}")
    second = tab.main.locator("[data-attempt='2']")
    await second.locator("summary").click()
    assert (await second.locator("del").inner_text()).strip() == "−   host mail-1.example"
    assert (await second.locator("ins").inner_text()).strip() == "+   host mail-2.example"
    assert "Compared with attempt 1" in await second.inner_text()
    third = tab.main.locator("[data-attempt='3']")
    assert "Same error as in attempt 2" in await third.inner_text()
    assert await tab.main.locator(".attempt .chip").all_inner_texts() == [
        *("Failed", "Failed", "Failed", "In progress")
    ]


async def test_a_large_payload_is_cut_and_every_digit_is_kept(site: Api, open_tab: OpenTab) -> None:
    stored = f'{{"b":{DIGITS},"2":1,"text":"%s","list":[%s]}}'
    numbers = ",".join(str(10**19 + n) for n in range(5_000))
    text = stored % ("", numbers)
    text = stored % ("x" * (256 * 1024 - len(text)), numbers)
    assert len(text) == 256 * 1024
    answer = site.http.post(
        "/tasks",
        content=f'{{"title": "large", "queue": "large", "payload": {text}}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 201
    began = time.monotonic()
    tab = await open_tab(site.url, f"#/tasks/{answer.json()['id']}")
    payload = tab.main.locator("[data-value=payload]")
    await expect(payload).to_contain_text(f'"b": {DIGITS}')
    assert time.monotonic() - began < 10
    assert len(await payload.inner_text()) < 30_000
    await payload.get_by_role("button", name="Show all (256 KiB)").click()
    await expect(payload).to_contain_text(str(10**19 + 4_999))
    # The tab still answers at once.
    assert (
        await tab.page.evaluate(
            """async () => {
          const began = performance.now();
          document.querySelector("[aria-label=Refresh]").click();
          await new Promise((done) => setTimeout(done, 500));
          return performance.now() - began;
        }"""
        )
        < 2_000
    )
    await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await payload.get_by_role("button", name="Copy").click()
    assert await tab.page.evaluate("navigator.clipboard.readText()") == text


@pytest.mark.parametrize("given", ["999999", "99999999999999999999", "nothing", "7/attempts"])
async def test_one_that_is_not_there(site: Api, open_tab: OpenTab, given: str) -> None:
    tab = await open_tab(site.url, None)
    tab.expected = {404}
    await tab.go(f"#/tasks/{given}")
    assert f"There is no task {given}." in await tab.main.inner_text()
    await tab.assert_accessible()


async def test_it_says_why_it_is_not_running(deployment: Deployment, open_tab: OpenTab) -> None:
    api = deployment.serve()
    one(api, queue="busy")
    second = one(api, queue="busy")
    later = one(api, queue="free", available_at="2090-01-01T00:00:00Z")
    post(api, "/admin/queues/busy/pause", None)
    said = {
        ("en", second): {
            "queue_paused": "The queue busy has been paused for ",
            "no_worker": "No worker has asked the queue busy for tasks lately.",
            "behind": "Tasks of the queue ahead of it: 1. No attempt has ended",
        },
        ("zh", second): {
            "queue_paused": "队列 busy 已暂停 ",
            "no_worker": "最近没有 worker 向队列 busy 领取任务。",
            "behind": "该队列中有 1 个任务排在它前面。",
        },
        ("en", later): {
            "not_yet": "It may be claimed in 23,",
            "no_scheduler": "No scheduler has run yet",
            "no_worker": "No worker has asked the queue free for tasks lately.",
        },
        ("zh", later): {
            "not_yet": "天后才能被领取。",
            "no_scheduler": "从未有调度器运行过",
            "no_worker": "最近没有 worker 向队列 free 领取任务。",
        },
    }
    for (language, task), expected in said.items():
        tab = await open_tab(api.url, f"#/tasks/{task}", language=language)
        found = tab.main.locator(".why [data-reason]")
        await expect(found.first).to_be_visible()
        names = await found.evaluate_all("all => all.map(each => each.dataset.reason)")
        assert names == list(expected)
        for name, text in expected.items():
            assert text in await tab.main.locator(f"[data-reason={name}]").inner_text()
        assert await found.first.get_by_role("link").count() == (task == second)


async def test_the_schedule_that_submitted_it_is_linked(site: Api, open_tab: OpenTab) -> None:
    body = {"cron": "0 3 * * *", "task": {"title": "Weekly report", "queue": "origin"}}
    assert site.http.put("/schedules/nightly%20report", json=body).is_success
    task = post(site, "/schedules/nightly%20report/run", None)["id"]
    tab = await open_tab(site.url, f"#/tasks/{task}")
    link = tab.main.get_by_role("link", name="nightly report")
    assert await link.get_attribute("href") == "#/schedules/nightly%20report"


async def test_it_follows_what_happens(site: Api, open_tab: OpenTab) -> None:
    task = one(site, queue="followed")
    tab = await open_tab(site.url, f"#/tasks/{task}")
    await tab.page.get_by_label("Refresh", exact=True).last.select_option("Refresh every 2 s")
    finish(site, "followed", "complete", result={"n": int(DIGITS)})
    await assert_status(tab, "Done")
    await expect(tab.main.locator("[data-value=result]")).to_contain_text(f'"n": {DIGITS}')
    await expect(tab.main.locator("[data-attempt='1'] .chip")).to_have_text("Done")
    assert json.dumps(tab.calls).count("/attempts") <= 3  # only when the task has changed


async def test_an_open_one_asks_seldom(site: Api, open_tab: OpenTab, full: int) -> None:
    tab = await open_tab(site.url, None)
    await tab.page.clock.install()
    await tab.go(f"#/tasks/{full}")
    await tab.passes(60)
    assert 5 < await tab.passes(60) <= 20
