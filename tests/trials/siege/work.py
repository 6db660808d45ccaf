"""Harm by way of the work: what costs MySQL much, or memory for ever."""

import json
from collections.abc import Mapping, Sequence

from tests.trials.siege.attack import Attack, always
from tests.trials.siege.calls import CLIENT, WORKER, batch, claim_of, poll, request
from tests.trials.siege.prepared import large_results, large_tasks

# As many names as a claim may have, and as a pipeline may have requests.
QUEUES, PIPELINE = 64, 16
REPEATED = json.dumps({"tasks": [{"title": "t", "queue": "repeated"}] * 1000}).encode()
CHURNED = json.dumps({"tasks": [{"title": "t", "queue": "churned"}] * 100}).encode()


def claims_of_many(asked: int) -> bytes:
    """Claims that have no queue in common."""
    first = asked * PIPELINE * QUEUES
    claims = (
        claim_of(*(f"q{first + n * QUEUES + m}" for m in range(QUEUES)), wait_seconds=0)
        for n in range(PIPELINE)
    )
    bodies = (json.dumps(claim).encode() for claim in claims)
    return b"".join(request("POST", "/leases", token=WORKER, body=body) for body in bodies)


def tags_of_many(asked: int) -> bytes:
    """Tasks with tags that nobody has used, and a page of all tags."""
    tasks = [
        {"title": "t", "queue": "tagged", "tags": [f"{asked}-{n}-{m}" for m in range(8)]}
        for n in range(20)
    ]
    made = batch(json.dumps({"tasks": tasks}).encode())
    return made + request("GET", "/tags?limit=1000", token=CLIENT)


def queues_of_many(asked: int) -> bytes:
    """Tasks in queues that nobody has used, and a page of all figures."""
    tasks = [{"title": "t", "queue": f"{asked}-{n}"} for n in range(20)]
    made = batch(json.dumps({"tasks": tasks}).encode())
    return made + request("GET", "/stats", token=CLIENT)


def patch_first(ids: Sequence[int]) -> bytes:
    body = json.dumps({"title": "another"}).encode()
    return request("PATCH", f"/tasks/{ids[0]}", token=CLIENT, body=body)


def wait_for_first(ids: Sequence[int]) -> bytes:
    return request("GET", f"/tasks/{ids[0]}?wait_seconds=2", token=CLIENT)


def stale_heartbeats(ids: Sequence[int]) -> bytes:
    return b"".join(
        request("POST", f"/leases/{task}.{'0' * 32}/heartbeat", token=WORKER, body=b"{}")
        for task in ids[:PIPELINE]
    )


WORK: Mapping[str, Attack] = {
    "many-queues": Attack(
        "claim from 64 queues, other ones each time",
        100,
        {"opening": claims_of_many, "again": always},
    ),
    "new-queues": Attack(
        "submit to queues that are new, and ask for all figures",
        20,
        {"opening": queues_of_many, "again": always},
    ),
    "new-tags": Attack(
        "submit with tags that are new, and list all tags",
        20,
        {"opening": tags_of_many, "again": always},
    ),
    "repeated-batches": Attack(
        "send a batch again whose tasks have results of 250 kB",
        20,
        {
            "opening": request(
                "POST",
                "/tasks/batch",
                token=CLIENT,
                body=REPEATED,
                headers="Idempotency-Key: repeated\r\n",
            ),
            "again": always,
        },
        large_results("repeated", REPEATED, "repeated"),
    ),
    "one-task": Attack(
        "wait for the end of one task of 250 kB, all of them",
        3000,
        {"again": always},
        large_tasks("waited-for"),
        of_tasks=wait_for_first,
    ),
    "stale-heartbeats": Attack(
        "send heartbeats of large tasks, by leases that are none",
        300,
        {"again": always},
        large_tasks("beaten"),
        of_tasks=stale_heartbeats,
    ),
    "held-row": Attack(
        "change a task that somebody else holds in MySQL",
        300,
        {"again": always},
        large_tasks("held"),
        of_tasks=patch_first,
        stranger=("BEGIN", "SELECT id FROM tasks WHERE id = {task} FOR UPDATE"),
    ),
    "old-snapshot": Attack(
        "submit and claim, while somebody else has a snapshot open in MySQL",
        20,
        {"opening": batch(CHURNED) + poll("churned", limit=100, wait_seconds=0), "again": always},
        large_tasks("old"),
        stranger=(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            "SELECT id FROM tasks WHERE id = {task}",
        ),
    ),
    "locked-table": Attack(
        "submit, while somebody else has locked the tables in MySQL",
        300,
        {
            "opening": request("POST", "/tasks", token=CLIENT, body=b'{"title":"t"}'),
            "again": always,
        },
        large_tasks("locked"),
        stranger=("LOCK TABLES tasks WRITE",),
        locks_out=True,
    ),
}
