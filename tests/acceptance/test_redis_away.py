"""Redis killed, started again empty, or never there: slower at most, and nothing wrong."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.local.valkey import ValkeyServer
from tests.acceptance.deployment import Deployment, until

Task = dict[str, Any]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """One of one's own, to be killed."""
    with ValkeyServer(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def deployment(valkey: ValkeyServer, tmp_path: Path, database_url: str) -> Iterator[Deployment]:
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=valkey.url)
    ) as deployment:
        yield deployment


def a_life(http: httpx.Client) -> None:
    """A task from its submit to its end, with every read fresh, and a time-out."""
    task = http.post("/tasks", json={"title": "a", "tags": ["x"]}).raise_for_status().json()
    path = f"/tasks/{task['id']}"
    assert http.get(path).json() == task
    assert http.get("/tasks", params={"tag": "x", "limit": 1}).json() == [task]
    patched = http.patch(path, json={"title": "b"}).raise_for_status().json()
    assert http.get(path).json() == patched
    claim = {"worker": "w", "lease_seconds": 5}
    (lease,) = http.post("/leases", json=claim).raise_for_status().json()
    assert http.get(path).json()["status"] == "in_progress"
    lease_path = f"/leases/{lease['lease_id']}"
    assert http.post(f"{lease_path}/heartbeat", json={"progress": 1}).status_code == 200
    done = http.post(f"{lease_path}/complete").raise_for_status().json()
    assert http.get(path).json() == done
    assert http.get("/tasks", params={"tag": "x", "limit": 1}).json() == [done]
    http.delete(path).raise_for_status()
    assert http.get(path).status_code == 404


def in_hand(http: httpx.Client, **claim: Any) -> tuple[Task, str]:
    """A task that a worker holds, and the lease."""
    task = http.post("/tasks", json={"title": "held", "retry_limit": 0}).json()
    (lease,) = http.post("/leases", json={"worker": "w", **claim}).json()
    return task, lease["lease_id"]


def test_redis_is_killed_and_comes_back_empty(valkey: ValkeyServer, deployment: Deployment) -> None:
    api = deployment.serve()
    scheduler = deployment.schedule()
    a_life(api.http)
    _, kept = in_hand(api.http, lease_seconds=5)
    timed, _ = in_hand(api.http)

    valkey.kill()
    for _ in range(5):
        a_life(api.http)
    assert api.http.get("/readyz").json()["parts"]["redis"] == "degraded"
    assert api.http.post(f"/leases/{kept}/heartbeat").status_code == 200
    deployment.execute(
        "UPDATE tasks SET deadline_at = UTC_TIMESTAMP(6), sweep_at = UTC_TIMESTAMP(6) "
        f"WHERE id = {timed['id']}"
    )
    ended = api.http.get(f"/tasks/{timed['id']}", params={"wait_seconds": 20}).json()
    assert ended["status"] == "failed"

    valkey.start()
    until(lambda: _is_used_again(api.http), "used again")
    # It knows nothing of the lease; that alone is no proof that the worker is lost.
    assert api.http.post(f"/leases/{kept}/heartbeat").status_code == 200
    for _ in range(5):
        a_life(api.http)
    assert api.http.post(f"/leases/{kept}/complete").status_code == 200
    assert api.is_running
    assert scheduler.is_running


def test_without_any_redis(tmp_path: Path, database_url: str) -> None:
    with closing(Deployment(tmp_path, database_url=database_url, redis_url=None)) as deployment:
        api = deployment.serve()
        deployment.schedule()
        a_life(api.http)
        assert api.http.get("/readyz").json()["parts"]["redis"] == "absent"

        # Nobody hears heartbeats, so that a silent worker keeps its task until the deadline.
        silent, lease = in_hand(api.http, lease_seconds=5)
        deployment.execute("UPDATE tasks SET sweep_at = sweep_at - INTERVAL 1 MINUTE")
        marker, _ = in_hand(api.http)
        deployment.execute(
            "UPDATE tasks SET deadline_at = UTC_TIMESTAMP(6), sweep_at = UTC_TIMESTAMP(6) "
            f"WHERE id = {marker['id']}"
        )
        ended = api.http.get(f"/tasks/{marker['id']}", params={"wait_seconds": 20}).json()
        assert ended["status"] == "failed"
        assert api.http.get(f"/tasks/{silent['id']}").json()["status"] == "in_progress"
        assert api.http.post(f"/leases/{lease}/complete").status_code == 200


def _is_used_again(http: httpx.Client) -> bool:
    http.get("/tasks")
    return bool(http.get("/readyz").json()["parts"]["redis"] == "ok")
