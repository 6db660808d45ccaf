"""Something to look at: queues in which tasks wait, run, fail and are done."""

from typing import Any

from tests.acceptance.deployment import Api, Deployment, until

WORKER = "worker-1.example"


def stock(api: Api) -> None:
    """By the API alone, as everybody would."""
    submit(api, "mail", 30, "Send invoice {}")
    submit(api, "images", 12, "Resize image {}", priority="高")
    submit(api, "reports", 4, "Weekly report {}", priority="低", retry_limit=0)
    submit(api, "nightly", 3, "Clean up {}")
    for lease in claim(api, "mail", 18):
        post(api, f"/leases/{lease['lease_id']}/complete", {"result": {"sent": True}})
    for lease in claim(api, "images", 8):
        post(api, f"/leases/{lease['lease_id']}/fail", {"error": "ConnectionError: refused"})
    for lease in claim(api, "reports", 1):
        post(api, f"/leases/{lease['lease_id']}/fail", {"error": "ValueError: no data"})
    claim(api, "mail", 2)
    post(api, "/admin/queues/nightly/pause", None)


def submit(api: Api, queue: str, count: int, title: str, **fields: object) -> list[Any]:
    tasks = [{"title": title.format(n + 1), "queue": queue, **fields} for n in range(count)]
    found: list[Any] = post(api, "/tasks/batch", {"tasks": tasks})
    return found


def claim(api: Api, queue: str, count: int) -> list[Any]:
    found: list[Any] = post(
        api, "/leases", {"worker": WORKER, "queues": [queue], "limit": count, "lease_seconds": 3600}
    )
    return found


def post(api: Api, path: str, body: object) -> Any:
    answer = api.http.post(path, json=body) if body is not None else api.http.post(path)
    assert answer.is_success, answer.text
    return answer.json()


def fold_and_age(deployment: Deployment) -> None:
    """What was done so far, as two minutes later, when its minute is over."""
    scheduler = deployment.schedule()
    left = "SELECT COUNT(*) FROM counter_deltas"
    until(lambda: deployment.count(left) == 0, "folded")
    scheduler.stop()
    deployment.execute("UPDATE history SET at = at - INTERVAL 2 MINUTE WHERE seconds = 60")
