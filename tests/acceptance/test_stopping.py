"""Told to stop, or killed: who waits is answered, and what was acknowledged is there."""

import itertools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from app.local.ports import free_port
from tests.acceptance.deployment import FROM_THE_CHECKOUT, Api, Deployment, until

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
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
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        scheduler = deployment.schedule()
        scheduler.signal(number)
        assert scheduler.exit_code() == 0, scheduler.words
        assert "scheduler_stopped" in scheduler.log.read_text()
        assert "Traceback" not in scheduler.log.read_text()


@pytest.mark.parametrize("options", [("--with-scheduler",), ("--workers", "2")])
def test_a_terminal_that_goes_stops_the_whole_tree_in_order(
    deployment: Deployment, options: tuple[str, ...]
) -> None:
    api = deployment.serve(*options)
    until(lambda: len(api.children()) == 2, "both started")
    parts = api.children()
    for _ in range(3):  # the kernel, and a shell that is left
        api.signal(signal.SIGHUP)
    assert api.exit_code() == 0, api.words
    assert not [pid for pid in parts if Path(f"/proc/{pid}").exists()]
    assert "Traceback" not in api.log.read_text()


@pytest.mark.parametrize("verb", ["serve", "scheduler"])
def test_under_nohup_a_terminal_may_go(deployment: Deployment, verb: str) -> None:
    port = str(free_port())
    options = ("--port", port, "--with-scheduler") if verb == "serve" else ()
    nohup = ("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *FROM_THE_CHECKOUT)
    process = deployment.start(verb, *options, command=nohup)
    until(lambda: "started" in process.log.read_text(), "started", 30)
    for pid in process.children():
        os.kill(pid, signal.SIGHUP)
    process.signal(signal.SIGHUP)
    process.signal(signal.SIGCONT)
    if verb == "serve":
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            until(lambda: answers(http), "serving")
            assert http.get("/healthz").is_success
    assert process.is_running
    process.stop()


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").is_success
    except httpx.TransportError:
        return False


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
