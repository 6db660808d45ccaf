"""The trace that a task belongs to: from the call that submits it to the worker that does it."""

import httpx
import pytest

from tests.support.calls import claim_one, fail, get, problem, submit

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_task_keeps_it_and_each_worker_gets_it(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/tasks",
        json={"title": "a", "retry_delay_seconds": 0},
        headers={"traceparent": PARENT},
    )
    task = answer.json()
    assert task["traceparent"] == PARENT
    assert (await get(api, task["id"]))["traceparent"] == PARENT
    (listed,) = (await api.get("/tasks")).json()
    assert listed["traceparent"] == PARENT
    for _ in range(2):
        lease = await claim_one(api)
        assert lease["task"]["traceparent"] == PARENT
        await fail(api, lease)


async def test_all_tasks_of_a_batch_keep_it(api: httpx.AsyncClient) -> None:
    tasks = [{"title": "a"}, {"title": "b"}]
    answer = await api.post("/tasks/batch", json={"tasks": tasks}, headers={"traceparent": PARENT})
    assert [task["traceparent"] for task in answer.json()] == [PARENT, PARENT]
    assert (await submit(api, title="c"))["traceparent"] is None


async def test_the_same_key_in_another_trace_is_the_same_call(api: httpx.AsyncClient) -> None:
    for parent in (PARENT, PARENT.replace("4b", "5b")):
        answer = await api.post(
            "/tasks", json={"title": "a"}, headers={"traceparent": parent, "Idempotency-Key": "k"}
        )
        assert answer.json()["traceparent"] == PARENT


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (f" {PARENT} ", PARENT),
        # A later version may say more.
        (PARENT.replace("00-", "01-", 1), PARENT.replace("00-", "01-", 1)),
        (f"{PARENT.replace('00-', 'cc-', 1)}-more", PARENT.replace("00-", "cc-", 1)),
        (f"{PARENT}-more", None),
        (f"{PARENT}0", None),
        (PARENT.upper(), None),
        (PARENT.replace("00-", "ff-", 1), None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", None),
        ("", None),
        ("é" * 55, None),
        ("0" * 8000, None),
    ],
)
async def test_what_is_not_valid_is_ignored(
    api: httpx.AsyncClient, header: str, kept: str | None
) -> None:
    answer = await api.post(
        "/tasks", json={"title": "a"}, headers={b"traceparent": header.encode("latin-1")}
    )
    assert (answer.status_code, answer.json()["traceparent"]) == (201, kept)


async def test_two_of_them_are_refused_as_any_header_is(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/tasks",
        json={"title": "a"},
        headers=[("traceparent", PARENT), ("traceparent", PARENT)],
    )
    assert "Traceparent" in str(problem(answer, 422))
