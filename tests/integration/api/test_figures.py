"""How each queue stands, as clients and management see it."""

import httpx


async def test_stats_count_each_queue_by_status_and_priority(api: httpx.AsyncClient) -> None:
    await api.post("/tasks", json={"title": "one", "queue": "mail", "priority": "高"})
    await api.post("/tasks", json={"title": "two", "queue": "mail"})
    await api.post("/tasks", json={"title": "three", "queue": "images"})
    await api.post("/leases", json={"worker": "w", "queues": ["mail"]})

    images, mail = (await api.get("/stats")).json()["queues"]

    assert (images["queue"], images["waiting"]) == ("images", 1)
    assert (mail["queue"], mail["waiting"], mail["in_progress"]) == ("mail", 1, 1)
    assert mail["tasks"]["in_progress"] == {"高": 1, "中": 0, "低": 0}
    assert mail["tasks"]["to_do"] == {"高": 0, "中": 1, "低": 0}


async def test_management_sees_the_same_figures_of_queues(api: httpx.AsyncClient) -> None:
    await api.post("/tasks", json={"title": "one", "queue": "mail"})
    await api.post("/admin/queues/idle/pause")

    idle, mail = (await api.get("/admin/queues")).json()

    assert (idle["queue"], idle["paused"], idle["waiting"]) == ("idle", True, 0)
    assert (mail["queue"], mail["paused"], mail["waiting"]) == ("mail", False, 1)
