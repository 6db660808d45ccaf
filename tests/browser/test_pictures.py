"""The pictures of README and docs/dashboard.md: `make test ARGS="tests/browser --pictures FOLDER"`
writes them as `docs-*.png`."""

from itertools import cycle, islice
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.acceptance.conftest import deployment
from tests.acceptance.deployment import Deployment, until
from tests.browser.conftest import OpenTab
from tests.browser.stock import claim, post, stock, submit

__all__ = ["deployment"]

MINUTES = 45
SIZE = (1280, 800)
ERROR = "ConnectionError: refused\n  at mail.py:12\n  host mail-{}.example"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_pictures_of_the_documents(
    deployment: Deployment,
    open_tab: OpenTab,
    pictures: Path | None,
    language: str,
    theme: str,
) -> None:
    if pictures is None:
        pytest.skip("no pictures are asked for")
    api = deployment.serve()
    scheduler = deployment.schedule()
    for count in islice(cycle((6, 9, 7, 14, 18, 12, 20, 15, 9, 11)), MINUTES):
        submit(api, "mail", count, "Send invoice {}")
        for lease in claim(api, "mail", count - 2):
            post(api, f"/leases/{lease['lease_id']}/complete", {"result": {"sent": True}})
        until(lambda: deployment.count("SELECT COUNT(*) FROM counter_deltas") == 0, "folded")
        deployment.execute("UPDATE history SET at = at - INTERVAL 1 MINUTE WHERE seconds = 60")
    stock(api)
    (failed,) = submit(api, "mail", 1, "Send invoice 4711", priority="高", retry_limit=1,
                       retry_delay_seconds=0, payload={"invoice": 4711, "to": "a@example.com"},
                       tags=["invoices", "eu"])  # fmt: skip
    for attempt in (1, 2):
        until(
            lambda: bool(api.http.get(f"/tasks/{failed['id']}/why").json()["is_claimable"]), "due"
        )
        (lease,) = claim(api, "mail", 1)
        assert lease["task"]["id"] == failed["id"]
        post(api, f"/leases/{lease['lease_id']}/fail", {"error": ERROR.format(attempt)})
    parents = [
        {"title": f"Extract {name}", "ref": name, "queue": "etl"}
        for name in ("sales", "costs", "stock")
    ]
    middle = {"title": "Load into the warehouse", "ref": "load", "queue": "etl",
              "depends_on": ["sales", "costs", "stock"]}  # fmt: skip
    children = [
        {"title": title, "queue": "etl", "depends_on": ["load"]}
        for title in ("Report to accounting", "Refresh the forecast")
    ]
    flow = post(api, "/tasks/batch", {"tasks": [*parents, middle, *children]})
    (lease, _) = claim(api, "etl", 2)
    post(api, f"/leases/{lease['lease_id']}/complete", {"result": {"rows": 3}})
    submit(api, "billing", 312, "Charge card {}", retry_limit=0)
    for _ in range(4):
        for lease in claim(api, "billing", 78):
            post(api, f"/leases/{lease['lease_id']}/fail", {"error": "CardError: expired"})

    for name, view in {
        "overview": "#/",
        "queue": "#/queues/mail",
        "task": f"#/tasks/{failed['id']}",
        "flow": f"#/tasks/{flow[3]['id']}",
        "tasks": "#/tasks",
    }.items():
        tab = await open_tab(api.url, view, language=language, theme=theme, size=SIZE)
        await tab.page.wait_for_load_state("networkidle")
        await tab.page.screenshot(path=pictures / f"docs-{name}-{theme}-{language}.png")
    tab = await open_tab(
        api.url, "#/tasks?queue=billing", language=language, theme=theme, size=SIZE
    )
    await tab.main.locator("thead input[type=checkbox]").check()
    await tab.main.locator("button", has_text="312").click()
    await tab.main.locator("button", has_text="重试" if language == "zh" else "Retry").first.click()
    await expect(tab.page.get_by_role("dialog")).to_contain_text("312")
    await tab.page.screenshot(path=pictures / f"docs-blast-radius-{theme}-{language}.png")
    scheduler.stop()
