"""Two APIs and some schedulers on one database: one platform, with no leader."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.acceptance.deployment import Api, Deployment, until

TASKS = 200
SCHEDULERS = 4


def work_off(api: Api, name: str, is_over: threading.Event) -> list[int]:
    """A worker's life: the ids of what it has completed."""
    completed: list[int] = []
    items: list[dict[str, Any]] = []
    while not is_over.is_set() or items:
        answer = api.http.post(
            "/leases/finish",
            json={"items": items, "claim": {"worker": name, "limit": 5, "wait_seconds": 0.5}},
        )
        assert answer.status_code == 200, answer.text
        for item in answer.json()["items"]:
            assert item["status"] == 200, item
            completed.append(item["task"]["id"])
        items = [
            {"lease_id": lease["lease_id"], "outcome": "complete"}
            for lease in answer.json()["leases"]
        ]
    return completed


def test_work_is_shared_between_processes(deployment: Deployment) -> None:
    one, two = deployment.serve_twice()
    is_over = threading.Event()

    with ThreadPoolExecutor() as pool:
        workers = [
            pool.submit(work_off, api, f"worker-{n}", is_over)
            for n, api in enumerate((one, two, one, two))
        ]
        submitted = [
            api.http.post("/tasks", json={"title": "t", "tags": ["shared"]}).json()["id"]
            for api in (one, two)
            for _ in range(TASKS // 2)
        ]
        until(
            lambda: not two.http.get("/tasks", params={"status": ["to_do", "in_progress"]}).json(),
            "all done",
        )
        is_over.set()
        completed = [task_id for worker in workers for task_id in worker.result()]

    assert Counter(completed) == Counter(submitted), "each once"
    assert all(worker.result() for worker in workers), "everybody had a share"


def test_who_waits_at_one_api_is_woken_by_what_comes_through_the_other(
    deployment: Deployment,
) -> None:
    one, two = deployment.serve_twice()

    with ThreadPoolExecutor() as pool:
        claim = pool.submit(
            two.http.post, "/leases", json={"worker": "w", "wait_seconds": 20}, timeout=60
        )
        task = one.http.post("/tasks", json={"title": "t"}).json()
        (lease,) = claim.result(timeout=60).json()
        assert lease["task"]["id"] == task["id"]

        path = f"/tasks/{task['id']}"
        wait = pool.submit(one.http.get, path, params={"wait_seconds": 60})
        two.http.post(f"/leases/{lease['lease_id']}/complete").raise_for_status()
        assert wait.result(timeout=60).json()["status"] == "done"


def test_what_is_read_at_one_api_is_never_older_than_what_the_other_answered(
    deployment: Deployment,
) -> None:
    one, two = deployment.serve_twice()
    path = one.http.post("/tasks", json={"title": "0"}).headers["location"]

    for number in range(1, 30):
        writer, reader = (one, two) if number % 2 else (two, one)
        # Both have it in their cache by now.
        assert reader.http.get(path).json() == writer.http.get(path).json()
        assert reader.http.get("/tasks").json() == writer.http.get("/tasks").json()
        written = writer.http.patch(path, json={"title": str(number)}).json()
        assert reader.http.get(path).json() == written
        assert reader.http.get("/tasks").json() == [written]


def test_schedulers_share_the_sweeps_and_one_is_enough(deployment: Deployment) -> None:
    api = deployment.serve()
    schedulers = [deployment.schedule() for _ in range(SCHEDULERS)]

    def each_attempt_times_out_once() -> None:
        task = {"title": "t", "retry_delay_seconds": 3600}
        made = api.http.post("/tasks/batch", json={"tasks": [task] * TASKS}).json()
        claimed = 0
        while claimed < TASKS:
            leases = api.http.post("/leases", json={"worker": "w", "limit": 100}).json()
            assert leases
            claimed += len(leases)
        deployment.execute(
            "UPDATE tasks SET deadline_at = deadline_at - INTERVAL 1 HOUR, "
            "sweep_at = sweep_at - INTERVAL 1 HOUR WHERE status = 'in_progress'"
        )
        until(
            lambda: not api.http.get("/tasks", params={"status": "in_progress"}).json(),
            "swept",
        )
        for task in made:
            now = api.http.get(f"/tasks/{task['id']}").json()
            assert (now["status"], now["current_retry_count"]) == ("retrying", 1)
            attempts = api.http.get(f"/tasks/{task['id']}/attempts").json()
            assert [attempt["outcome"] for attempt in attempts] == ["timed_out"]

    each_attempt_times_out_once()
    for scheduler in schedulers[1:]:
        scheduler.kill()
    each_attempt_times_out_once()
    schedulers[0].stop()
