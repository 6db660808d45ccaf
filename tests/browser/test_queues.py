"""`#/queues`: how each queue is, what is in it, and who serves it."""

import pytest
from playwright.async_api import expect

from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Api, Deployment, ServeWith, until
from tests.browser.conftest import Look, OpenTab
from tests.browser.stock import claim, fold_and_age, post, stock, submit

__all__ = ["deployment"]


async def test_the_list_is_fit_to_look_at(look: Look) -> None:
    await look("queues", "#/queues")


async def test_one_is_fit_to_look_at(look: Look) -> None:
    await look("queue", "#/queues/mail")


async def test_queues_are_sorted_and_the_address_says_how(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/queues")
    await tab.main.get_by_role("button", name="Waiting").click()
    rows = tab.main.locator("tr[data-row]")
    assert await rows.evaluate_all("rows => rows.map(row => row.dataset.row)") == [
        *("images", "mail", "nightly", "reports")
    ]
    assert tab.page.url.endswith("#/queues?sort=-waiting")


async def test_each_cell_leads_to_its_list(site: Api, open_tab: OpenTab) -> None:
    tab = await open_tab(site.url, "#/queues/images")
    row = tab.main.locator("tr[data-row=retrying]")
    found = await row.get_by_role("link").evaluate_all("all => all.map(a => [a.text, a.hash])")
    high = "#/tasks?queue=images&status=retrying&priority=%E9%AB%98"
    assert found == [["8", high], ["8", "#/tasks?queue=images&status=retrying"]]


async def test_the_head_of_the_line_and_why_it_waits(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    submit(api, "mail", 2, "Newsletter {}")
    (later,) = submit(
        api, "mail", 1, "Later {}", priority="高", available_at="2999-01-01T00:00:00Z"
    )
    first, *_ = submit(api, "mail", 7, "Invoice {}", priority="高")
    tab = await open_tab(api.url, "#/queues/mail")
    line = tab.main.locator("section", has_text="Head of the line")
    rows = line.locator("tr[data-row]")
    assert await rows.count() == 5
    assert await rows.first.get_by_role("link").inner_text() == f"{first['id']} Invoice 1"
    assert await line.locator(f"tr[data-row='{later['id']}']").count() == 0
    why = api.http.get(f"/tasks/{first['id']}/why").json()["reasons"]
    reasons = line.locator(".finding")
    await expect(reasons).to_have_count(len(why))
    assert [await each.get_attribute("data-reason") for each in await reasons.all()] == [
        each["reason"] for each in why
    ]
    await expect(reasons.first).to_contain_text(str(first["id"]))


async def test_a_queue_is_paused_and_that_is_undone(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    submit(api, "mail", 1, "Newsletter")
    tab = await open_tab(api.url, "#/queues/mail")
    await tab.main.get_by_role("button", name="Pause", exact=True).click()
    await tab.main.get_by_role("button", name="Resume", exact=True).wait_for()
    assert claim(api, "mail", 1) == []
    await tab.page.get_by_role("button", name="Undo").click()
    await tab.main.get_by_role("button", name="Pause", exact=True).wait_for()
    assert len(claim(api, "mail", 1)) == 1
    assert await tab.page.get_by_role("button", name="Undo").count() == 0


async def test_it_says_since_when_no_worker_has_polled(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    submit(api, "mail", 2, "Newsletter {}")
    tab = await open_tab(api.url, "#/queues/mail")
    note = tab.main.locator(".note")
    assert await note.inner_text() == "No worker is known that polls it."
    (lease,) = claim(api, "mail", 1)
    await tab.page.keyboard.press("r")
    await expect(note).to_have_count(0)
    await tab.main.locator("tr[data-row='worker-1.example']").wait_for()

    post(api, f"/leases/{lease['lease_id']}/complete", {})
    until(lambda: bool(api.http.get("/admin/workers").json()), "the register has heard of it")
    deployment.execute(
        "UPDATE workers SET first_seen_at = first_seen_at - INTERVAL 5 MINUTE, "
        "last_seen_at = last_seen_at - INTERVAL 5 MINUTE"
    )
    await tab.page.keyboard.press("r")
    await note.wait_for()
    assert await note.inner_text() == "No worker polls it; the last one did so 5 min ago"


async def test_its_settings_are_changed(deployment: Deployment, open_tab: OpenTab) -> None:
    api = deployment.serve()
    tab = await open_tab(api.url, "#/queues/mail")
    assert "There are no tasks in mail." in await tab.main.inner_text()
    form = tab.main.locator("form", has_text="seconds later")
    assert "these are the defaults" in await form.inner_text()
    await form.get_by_label("Low: seconds later").fill("60")
    tab.expected = {422}
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_role("alert")).to_contain_text("needs 中 to have some")
    await form.get_by_label("Medium: seconds later").fill("30")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_contain_text("In force")
    stored = api.http.get("/admin/queues/mail/settings").json()
    assert stored["ageing_seconds"] == {"中": 30, "低": 60}
    await form.get_by_label("Medium: seconds later").fill("")
    await form.get_by_label("Low: seconds later").fill("")
    await form.get_by_role("button", name="Save").click()
    await expect(tab.page.locator(".toast")).to_have_count(2)
    assert api.http.get("/admin/queues/mail/settings").json()["ageing_seconds"] is None


async def test_its_history_is_drawn(deployment: Deployment, open_tab: OpenTab) -> None:
    api = deployment.serve()
    stock(api)
    fold_and_age(deployment)
    tab = await open_tab(api.url, "#/queues/mail")
    charts = tab.main.locator("figure.chart")
    await expect(charts).to_have_count(4)

    async def values(chart: int, series: str) -> list[int]:
        row = charts.nth(chart).locator(".unseen tr", has=tab.page.get_by_text(series, exact=True))
        return [int(value) for value in await row.locator("td").all_text_contents()]

    # A minute may have ended in between.
    assert sum(await values(1, "Submitted")) == 30
    assert sum(await values(1, "Done")) == 18
    # 30 came and 20 began; before that there was nothing.
    assert (await values(0, "Waiting"))[0] == 0
    assert (await values(0, "Waiting"))[-1] == 10
    assert await tab.main.get_by_text("Wait: half within").count() == 1
    assert "–, 95%" not in await tab.main.inner_text()
    await tab.main.get_by_role("button", name="Last 14 days").click()
    await expect(tab.main.get_by_role("button", name="Last 14 days")).to_have_attribute(
        "aria-pressed", "true"
    )
    await tab.settled()
    assert f"GET /stats/history?queue=mail&minutes={14 * 24 * 60}" in tab.calls


async def test_ten_thousand_queues_come_in_pages(serve_with: ServeWith, open_tab: OpenTab) -> None:
    api = serve_with({})
    for begin in range(0, 10_000, 1000):
        tasks = [{"title": "t", "queue": f"q{begin + n:05}"} for n in range(1000)]
        post(api, "/tasks/batch", {"tasks": tasks})
    tab = await open_tab(api.url, "#/queues")
    rows = tab.main.locator("tr[data-row]")
    assert await rows.count() == 200
    # Curves are asked for only where they can be seen.
    await expect(tab.main.locator("svg.sparkline")).not_to_have_count(0)
    assert sum("history" in each for each in tab.calls) < 40
    await tab.main.get_by_role("link", name="Next page").click()
    await tab.main.get_by_role("link", name="q00200", exact=True).wait_for()
    assert await rows.count() == 200
    await tab.page.keyboard.press("/")
    await tab.page.keyboard.type("q09876")
    await tab.page.keyboard.press("Enter")
    await tab.main.locator("strong", has_text="q09876").wait_for()
    await tab.main.locator("tr[data-row=to_do]").wait_for()


@pytest.mark.parametrize("view", ["#/", "#/queues", "#/queues/mail", "#/workers"])
async def test_who_may_only_look_sees_all_and_changes_nothing(
    guarded: Api, open_tab: OpenTab, view: str
) -> None:
    tab = await open_tab(guarded.url, None)
    tab.expected = {401}
    await tab.go(view)
    await tab.sign_in("viewer-token")
    tab.expected = set()
    assert await tab.main.get_by_text("This needs a token for").count() == 0
    for name in ("Pause", "Resume", "Save"):
        assert await tab.main.get_by_role("button", name=name, exact=True).count() == 0
    for field in await tab.main.locator("input[type=number]").all():
        assert await field.is_disabled()


@pytest.mark.parametrize("view", ["#/", "#/queues", "#/queues/mail", "#/workers"])
async def test_a_clients_token_shows_what_it_opens_and_says_what_it_does_not(
    guarded: Api, open_tab: OpenTab, view: str
) -> None:
    tab = await open_tab(guarded.url, None)
    tab.expected = {401}
    await tab.go(view)
    await tab.sign_in("client-token")
    assert not [each for each in tab.calls if "/admin/" in each]
    needs = "This needs a token for the viewer door."
    assert (
        await tab.main.get_by_text(needs).count()
        == {**{"#/": 1, "#/queues": 0, "#/queues/mail": 3, "#/workers": 1}}[view]
    )
    if view != "#/workers":
        await tab.main.get_by_role("table").first.wait_for()
    await tab.assert_accessible()


@pytest.fixture(scope="module")
def guarded(serve_with: ServeWith) -> Api:
    """One that wants a token, for each door another one."""
    doors = ("client", "worker", "admin", "viewer")
    api = serve_with(
        {f"{door.upper()}_TOKENS": f"{door}-token,all" for door in doors[:3]}
        | {"VIEWER_TOKENS": "viewer-token"}
    )
    api.http.headers["Authorization"] = "Bearer all"
    stock(api)
    return api


async def test_its_limits_are_set_and_its_groups_that_wait_are_shown(
    deployment: Deployment, open_tab: OpenTab
) -> None:
    api = deployment.serve()
    tab = await open_tab(api.url, "#/queues/mail")
    form = tab.main.locator("form", has_text="seconds later")
    await form.get_by_label("Of each group", exact=True).fill("1")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_contain_text("In force")
    stored = api.http.get("/admin/queues/mail/settings").json()
    assert (stored["running"], stored["running_per_group"]) == (None, 1)
    groups = tab.main.locator("section", has_text="Groups that wait")
    assert await groups.count() == 0

    def waits() -> bool:
        (task,) = submit(api, "mail", 1, "Newsletter {}", group="customer-17")
        return bool(task["waiting_on"] == "group")

    until(waits, "the limit is in force")
    await tab.page.keyboard.press("r")
    row = groups.locator("tr[data-row='customer-17']")
    await expect(row).to_contain_text("1 of 1")


async def test_its_rates_and_turns_are_set(deployment: Deployment, open_tab: OpenTab) -> None:
    api = deployment.serve()
    settings = "/admin/queues/mail/settings"
    tab = await open_tab(api.url, "#/queues/mail")
    form = tab.main.locator("form", has_text="seconds later")
    whole, each = form.get_by_label("Of the queue: attempts"), form.get_by_label("At once, of")
    save = form.get_by_role("button", name="Save")
    await whole.fill("120")
    await form.get_by_label("In so many seconds", exact=True).fill("60")
    await form.get_by_label("Of each group: attempts").fill("6")
    await form.get_by_label("In so many seconds, of a group").fill("3600")
    await form.get_by_label("Groups take turns").check()
    await save.click()
    await expect(each).to_have_value("1")  # by default, what comes in a second
    stored = api.http.get(settings).json()
    assert stored["rate"] == {"limit": 120, "per_seconds": 60, "burst": 2}
    assert stored["rate_per_group"] == {"limit": 6, "per_seconds": 3600, "burst": 1}
    assert stored["fair"] is True

    group = {"weight": 7}
    api.http.put("/admin/queues/mail/groups/customer-17", json=group).raise_for_status()

    def waits() -> bool:
        (task,) = submit(api, "mail", 1, "Newsletter {}", group="customer-17")
        return bool(task["waiting_on"] == "group")

    until(waits, "the rate is in force")
    lease = {"worker": "a", "queues": ["mail"], "limit": 10}
    assert api.http.post("/leases", json=lease).json()
    await tab.page.keyboard.press("r")
    row = tab.main.locator("tr[data-row='customer-17']")
    await expect(row.locator("td").nth(3)).to_have_text("7")
    await expect(row.locator("time")).to_contain_text("in ")
    await tab.assert_accessible()

    # What is wrong is said; what is emptied is unset.
    tab.expected = {422}
    await whole.fill("600")
    await save.click()
    await expect(form.get_by_role("alert")).to_contain_text("rate.burst")
    for label in ("Of the queue: attempts", "In so many seconds", "At once"):
        await form.get_by_label(label, exact=True).fill("")
    await form.get_by_label("Groups take turns").uncheck()
    await save.click()
    await expect(form.get_by_role("alert")).to_have_count(0)
    stored = api.http.get(settings).json()
    assert (stored["rate"], stored["fair"]) == (None, False)
    assert stored["rate_per_group"] == {"limit": 6, "per_seconds": 3600, "burst": 1}
