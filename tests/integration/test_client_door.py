"""What a client sees, end to end over the real database."""

import httpx


async def test_a_submitted_task_is_answered_whole(api: httpx.AsyncClient) -> None:
    answer = await api.post("/tasks", json={"title": "  resize  ", "priority": "high"})

    assert answer.status_code == 201
    task = answer.json()
    assert task["title"] == "resize"
    assert task["priority"] == "高"
    assert answer.headers["location"] == f"/tasks/{task['id']}"
    assert (await api.get(answer.headers["location"])).json() == task
