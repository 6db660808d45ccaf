"""SIGTERM, SIGINT and SIGKILL: who waits is answered, and what was acknowledged is there."""

import itertools
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.acceptance.deployment import Api, Deployment, until

SUBMITTERS = 4


class Submitters:
    """Clients that submit without a pause, and note what was acknowledged with 201."""

    def __init__(self, api: Api) -> None:
        self.acknowledged: list[int] = []
        self._url = api.url
        self._pool = ThreadPoolExecutor(SUBMITTERS)
        self._ends = [self._pool.submit(self._submit) for _ in range(SUBMITTERS)]

    def wait(self) -> None:
        """Return when the server has gone for all of them."""
        for end in self._ends:
            end.result(timeout=30)
        self._pool.shutdown()

    def _submit(self) -> None:
        with httpx.Client(base_url=self._url) as http:
            for number in itertools.count():
                try:
                    answer = http.post("/tasks", json={"title": f"task {number}"})
                except httpx.TransportError:
                    return
                if answer.status_code != 201:
                    return
                self.acknowledged.append(answer.json()["id"])


def stored_ids(api: Api) -> set[int]:
    """The ids of all tasks, page by page."""
    found: set[int] = set()
    answer = api.http.get("/tasks", params={"limit": 1000})
    while True:
        found.update(task["id"] for task in answer.json())
        if "next" not in answer.links:
            return found
        answer = api.http.get(answer.links["next"]["url"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_every_acknowledged_task_is_there_after_the_api_ended(
    deployment: Deployment, number: signal.Signals
) -> None:
    api = deployment.serve()
    submitters = Submitters(api)
    until(lambda: len(submitters.acknowledged) > 200, "under load")

    if number is signal.SIGKILL:
        api.kill()
    else:
        api.stop()
    submitters.wait()

    again = deployment.serve(port=api.port)
    missing = set(submitters.acknowledged) - stored_ids(again)
    assert not missing
    assert len(set(submitters.acknowledged)) == len(submitters.acknowledged)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_waits_is_answered_when_the_api_is_told_to_stop(
    deployment: Deployment, number: signal.Signals
) -> None:
    api = deployment.serve()
    path = api.http.post("/tasks", json={"title": "t"}).headers["location"]
    claim = {"worker": "w", "queues": ["empty"], "wait_seconds": 30}

    with ThreadPoolExecutor() as pool:
        claims = [pool.submit(api.http.post, "/leases", json=claim) for _ in range(3)]
        finish = pool.submit(api.http.post, "/leases/finish", json={"items": [], "claim": claim})
        end = pool.submit(api.http.get, path, params={"wait_seconds": 60})
        until(lambda: "rowlock_waiting_callers 5.0" in api.http.get("/metrics").text, "waiting")

        told = time.monotonic()
        api.signal(number)
        for waiting in claims:
            assert waiting.result(timeout=60).json() == []
        assert finish.result(timeout=60).json() == {"items": [], "leases": []}
        assert end.result(timeout=60).json()["status"] == "to_do"
        assert api.exit_code() == 0, api.words
        assert time.monotonic() - told < 30, "as long as they would have waited"

    assert "Traceback" not in api.log.read_text()


def test_a_scheduler_told_to_stop_ends_in_order(deployment: Deployment) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        scheduler = deployment.schedule()
        scheduler.signal(number)
        assert scheduler.exit_code() == 0, scheduler.words
        assert "scheduler_stopped" in scheduler.log.read_text()
        assert "Traceback" not in scheduler.log.read_text()


def test_work_in_hand_survives_a_restart_of_the_api(deployment: Deployment) -> None:
    api = deployment.serve()
    api.http.post("/tasks", json={"title": "t"}).raise_for_status()
    claim = {"worker": "w", "lease_seconds": 60}
    (lease,) = api.http.post("/leases", json=claim).json()
    api.kill()

    again = deployment.serve(port=api.port)
    beat = again.http.post(f"/leases/{lease['lease_id']}/heartbeat", json={"progress": 50})
    assert beat.status_code == 200
    assert again.http.post(f"/leases/{lease['lease_id']}/complete").json()["status"] == "done"
