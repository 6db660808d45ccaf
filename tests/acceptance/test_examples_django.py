"""The example in Django: run as its page says, and it does what its page says."""

from pathlib import Path
from typing import Any

import httpx

from app.local.ports import free_port
from tests.acceptance.deployment import Api, until
from tests.acceptance.examples import PYTHON, Start, ended, listens


def test_django(api: Api, start: Start, tmp_path: Path) -> None:
    environment = {"ROWLOCK_URL": api.url, "SHOP_DATABASE": str(tmp_path / "shop.sqlite3")}

    def manage(*arguments: str) -> Any:
        return start("django", PYTHON, "manage.py", *arguments, **environment)

    manage("migrate", "--run-syncdb").ends()
    port = free_port()
    shop = manage("runserver", "--noreload", str(port))
    url = f"http://127.0.0.1:{port}"
    until(lambda: listens(url), "serving")
    worker = manage("rowlock_worker", "--concurrency", "4")

    ordered = httpx.post(f"{url}/orders", data={"oars": "2"})
    assert (ordered.status_code, ordered.json()) == (202, {"order": 1})
    (task,) = api.http.get("/tasks", params={"queue": "shop"}).json()
    receipt = ended(api, task["id"])
    assert (receipt["title"], receipt["priority"]) == ("shop.tasks.send_receipt", "高")
    assert (receipt["timeout_seconds"], receipt["retry_limit"]) == (60, 5)
    assert receipt["result"] == "R-1: 2 oars"

    counting = httpx.post(f"{url}/counts")
    assert counting.status_code == 202
    ended(api, int(counting.json()["result"]))
    counted = httpx.get(f"{url}/counts/{counting.json()['result']}").json()
    assert counted == {"status": "SUCCESSFUL", "value": {"oars": 2, "attempt": 1}}

    said = worker.stops()
    assert f"for {api.url}: queues shop; handlers for any title; concurrency 4" in said
    assert "'shop.tasks.count_oars', attempt 1: done" in said
    shop.process.kill()
