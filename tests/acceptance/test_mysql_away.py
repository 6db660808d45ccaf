"""MySQL killed under load and started again: 503 meanwhile, nothing lost, no restart needed."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from app.local.mysql import MySQLServer
from tests.acceptance.deployment import Api, Deployment, until


@pytest.fixture
def mysql(tmp_path: Path) -> Iterator[MySQLServer]:
    """A durable server of one's own, to be killed."""
    with MySQLServer(tmp_path / "mysql") as server:
        yield server


@pytest.fixture
def deployment(mysql: MySQLServer, tmp_path: Path, redis_url: str) -> Iterator[Deployment]:
    with closing(Deployment(tmp_path, database_url=mysql.url, redis_url=redis_url)) as deployment:
        yield deployment


class Submitter(threading.Thread):
    """A client that submits again and again, whatever it is answered, until told to stop."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self.acknowledged: list[int] = []
        self.refused: list[httpx.Response] = []
        self.is_over = threading.Event()
        self._url = api.url

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as http:
            while not self.is_over.is_set():
                answer = http.post("/tasks", json={"title": "t", "tags": ["load"]})
                if answer.status_code == 201:
                    self.acknowledged.append(answer.json()["id"])
                else:
                    self.refused.append(answer)


def test_mysql_is_killed_and_started_again(mysql: MySQLServer, deployment: Deployment) -> None:
    api = deployment.serve()
    http = api.http
    scheduler = deployment.schedule()
    held = http.post("/tasks", json={"title": "held", "retry_limit": 0}).json()
    (lease,) = http.post("/leases", json={"worker": "w"}).json()
    submitters = [Submitter(api) for _ in range(3)]
    for submitter in submitters:
        submitter.start()
    try:
        until(lambda: all(len(s.acknowledged) > 20 for s in submitters), "under load")

        mysql.kill()
        calls = (
            http.build_request("POST", "/tasks", json={"title": "t"}),
            http.build_request("GET", "/tasks"),
            http.build_request("GET", f"/tasks/{held['id']}/attempts"),
            http.build_request("PATCH", f"/tasks/{held['id']}", json={"title": "u"}),
            http.build_request("POST", "/leases", json={"worker": "w", "wait_seconds": 1}),
            http.build_request("POST", f"/leases/{lease['lease_id']}/heartbeat"),
            http.build_request("POST", f"/leases/{lease['lease_id']}/complete"),
            http.build_request("POST", f"/admin/tasks/{held['id']}/cancel"),
        )
        for call in calls:
            began = time.monotonic()
            answer = http.send(call)
            assert answer.status_code == 503, f"{call.method} {call.url}: {answer.text}"
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"] == "application/problem+json"
            assert time.monotonic() - began < 30
        assert http.get("/healthz").status_code == 200
        ready = http.get("/readyz")
        assert ready.status_code == 503
        assert "MySQL" in ready.json()["parts"]["mysql"]

        mysql.start()
        until(lambda: http.get("/readyz").is_success, "ready again")
        before = [len(submitter.acknowledged) for submitter in submitters]
        until(
            lambda: all(
                len(s.acknowledged) > n + 20 for s, n in zip(submitters, before, strict=True)
            ),
            "under load again",
        )
    finally:
        for submitter in submitters:
            submitter.is_over.set()
        for submitter in submitters:
            submitter.join()

    assert api.is_running
    assert scheduler.is_running
    for submitter in submitters:
        assert {answer.status_code for answer in submitter.refused} <= {503}
        assert all("retry-after" in answer.headers for answer in submitter.refused)
        for start in range(0, len(submitter.acknowledged), 500):
            wanted = submitter.acknowledged[start : start + 500]
            found = http.get("/tasks", params={"id": wanted, "limit": 1000}).json()
            assert {task["id"] for task in found} == set(wanted), "acknowledged is stored"

    # The lease of before still holds, and the scheduler has found MySQL again.
    assert http.post(f"/leases/{lease['lease_id']}/heartbeat").status_code == 200
    deployment.execute(
        f"UPDATE tasks SET deadline_at = UTC_TIMESTAMP(6), sweep_at = UTC_TIMESTAMP(6) "
        f"WHERE id = {held['id']}"
    )
    ended = http.get(f"/tasks/{held['id']}", params={"wait_seconds": 20}).json()
    assert ended["status"] == "failed"


def test_an_api_refuses_a_database_that_is_not_there(
    mysql: MySQLServer, deployment: Deployment
) -> None:
    mysql.kill()
    for verb in ("serve", "scheduler", "migrate"):
        ended = deployment.run(verb)
        assert ended.exit_code() == 1, ended.words
        assert "Cannot connect to MySQL at" in ended.words
        assert mysql.password not in ended.words
        assert "Traceback" not in ended.words
    mysql.start()
