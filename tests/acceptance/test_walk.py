"""A user's first hour: every filter, a time-out taken to its end, a late worker, done, deleted."""

from typing import Any

import httpx

from tests.acceptance.deployment import Api, Deployment, until

Task = dict[str, Any]


def created(answer: httpx.Response) -> Task:
    assert answer.status_code == 201, answer.text
    task: Task = answer.json()
    return task


def claim_one(http: httpx.Client, **fields: Any) -> Task:
    answer = http.post("/leases", json={"worker": "walker", "wait_seconds": 10, **fields})
    (lease,) = answer.json()
    found: Task = lease
    return found


def test_every_filter_alone_and_combined(api: Api) -> None:
    http = api.http
    tasks = [
        {"title": "Resize images", "priority": "高", "tags": ["核心业务", "images"]},
        {"title": "Resize video", "priority": "中", "tags": ["核心业务"], "queue": "video"},
        {"title": "Send mail", "priority": "低", "tags": ["mail"], "due_date": "2031-05-01T00:00Z"},
        {"title": "Send 100% of it", "due_date": "2032-01-01T08:00+08:00"},
    ]
    high, medium, low, plain = (created(http.post("/tasks", json=task))["id"] for task in tasks)
    http.post(f"/admin/tasks/{low}/pause").raise_for_status()
    third = http.get(f"/tasks/{low}").json()["created_at"]

    def found(*query: tuple[str, str]) -> list[int]:
        answer = http.get("/tasks", params=list(query))
        assert answer.status_code == 200, answer.text
        return [task["id"] for task in answer.json()]

    assert found() == [plain, low, medium, high]
    assert found(("order", "asc")) == [high, medium, low, plain]
    assert found(("limit", "2")) == [plain, low]
    assert found(("status", "paused")) == [low]
    assert found(("status", "paused"), ("status", "to_do")) == [plain, low, medium, high]
    assert found(("status", "done")) == []
    assert found(("priority", "高")) == [high]
    assert found(("priority", "高"), ("priority", "low")) == [low, high]
    assert found(("queue", "video")) == [medium]
    assert found(("queue", "video"), ("queue", "default")) == [plain, low, medium, high]
    assert found(("tag", "核心业务")) == [medium, high]
    assert found(("tag", "核心业务"), ("tag", "images")) == [high]
    assert found(("tag", "nobody's")) == []
    assert found(("id", str(high)), ("id", str(plain))) == [plain, high]
    assert found(("title", "resize")) == [medium, high]
    assert found(("title", "100%")) == [plain]
    assert found(("title", "%")) == [plain]
    assert found(("created_after", third)) == [plain, low]
    assert found(("created_before", third)) == [medium, high]
    assert found(("due_after", "2031-05-01T00:00:00Z")) == [plain, low]
    assert found(("due_before", "2032-01-01T00:00:00Z")) == [low]

    assert found(("priority", "中"), ("title", "send")) == [plain]
    assert found(("tag", "核心业务"), ("status", "to_do"), ("queue", "default")) == [high]
    assert found(
        ("status", "paused"),
        ("priority", "低"),
        ("tag", "mail"),
        ("title", "mail"),
        ("due_after", "2031-01-01T00:00Z"),
        ("due_before", "2031-06-01T00:00Z"),
        ("created_after", third),
        ("queue", "default"),
        ("id", str(low)),
    ) == [low]
    assert found(("status", "paused"), ("priority", "高")) == []

    first = http.get("/tasks", params={"limit": 3, "queue": ["default", "video"]})
    assert [task["id"] for task in first.json()] == [plain, low, medium]
    rest = http.get(first.links["next"]["url"])
    assert [task["id"] for task in rest.json()] == [high]
    assert "next" not in rest.links

    tags = http.get("/tags").json()
    assert tags == [
        {"name": "images", "tasks": 1},
        {"name": "mail", "tasks": 1},
        {"name": "核心业务", "tasks": 2},
    ]


def test_no_client_sets_a_status(api: Api) -> None:
    task = created(api.http.post("/tasks", json={"title": "mine"}))

    for status in ("done", "to_do", "no such status", None):
        fields = {"title": "another", "status": status}
        patch = api.http.patch(f"/tasks/{task['id']}", json=fields)
        submit = api.http.post("/tasks", json=fields)
        for answer in (patch, submit):
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["errors"] == [
                {"field": "status", "message": "is set by the system only"}
            ]
    assert api.http.get(f"/tasks/{task['id']}").json() == task
    assert len(api.http.get("/tasks").json()) == 1


def test_a_time_out_is_retried_and_then_fails_and_a_late_worker_is_refused(
    api: Api, deployment: Deployment
) -> None:
    http = api.http
    deployment.schedule()
    task = created(
        http.post(
            "/tasks",
            json={
                "title": "too long",
                "timeout_seconds": 1,
                "retry_limit": 1,
                "retry_delay_seconds": 1,
            },
        )
    )
    path = f"/tasks/{task['id']}"

    first = claim_one(http)
    assert http.get(path).json()["status"] == "in_progress"
    until(lambda: http.get(path).json()["status"] == "retrying", "retrying")
    assert http.get(path).json()["current_retry_count"] == 1

    late = http.post(f"/leases/{first['lease_id']}/complete", json={"result": "too late"})
    assert late.status_code == 409
    assert late.json()["task_status"] == "retrying"
    assert late.json()["outcome"] == "timed_out"

    second = claim_one(http)
    assert second["attempt"] == 2
    ended = http.get(path, params={"wait_seconds": 20}).json()
    assert ended["status"] == "failed"
    assert ended["current_retry_count"] == 1
    assert ended["completed_at"] is None
    assert ended["result"] is None
    late = http.post(f"/leases/{second['lease_id']}/complete")
    assert late.status_code == 409
    assert late.json()["task_status"] == "failed"
    attempts = http.get(f"{path}/attempts").json()
    assert [(a["attempt"], a["outcome"]) for a in attempts] == [(1, "timed_out"), (2, "timed_out")]


def test_done_has_its_time_and_deleted_is_gone(api: Api) -> None:
    http = api.http
    task = created(http.post("/tasks", json={"title": "quick", "payload": {"n": 1}}))
    path = f"/tasks/{task['id']}"

    lease = claim_one(http)
    assert lease["task"]["payload"] == {"n": 1}
    done = http.post(f"/leases/{lease['lease_id']}/complete", json={"result": ["高", 2]})
    assert done.status_code == 200
    assert done.json()["status"] == "done"
    assert done.json()["result"] == ["高", 2]
    assert task["created_at"] < done.json()["completed_at"]
    assert http.get(path).json() == done.json()

    assert http.delete(path).status_code == 204
    assert http.get(path).status_code == 404
    assert http.delete(path).status_code == 404
    assert http.post(f"/leases/{lease['lease_id']}/complete").status_code == 404
    assert http.get("/tasks").json() == []
