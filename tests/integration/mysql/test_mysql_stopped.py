"""MySQL is stopped (SIGSTOP): it takes connections, and answers nobody."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from app.local.mysql import MySQLServer
from app.settings import Settings
from tests.support.calls import claim_one, complete, problem, submit
from tests.support.routes import NEEDING_MYSQL

# Twice as long is told from once, however busy the machine is.
TIMEOUT = 5.0


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_timeout_seconds": TIMEOUT})


@contextmanager
def stopped(server: MySQLServer) -> Iterator[None]:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


async def test_every_call_is_answered_in_time_and_a_submission_sent_again_is_stored_once(
    api: httpx.AsyncClient, mysql: MySQLServer | None
) -> None:
    if mysql is None:
        pytest.skip("not a server of ours to stop")

    async def keyed(number: int) -> httpx.Response:
        return await api.post(
            "/tasks", json={"title": "keyed"}, headers={"Idempotency-Key": f"key-{number}"}
        )

    task = await submit(api, title="acknowledged", tags=["a"])
    lease = await claim_one(api)
    # Some of them are with MySQL when it is stopped: what they have stored is not known.
    under_way = [asyncio.create_task(keyed(number)) for number in range(20)]
    await asyncio.sleep(0.005)
    with stopped(mysql):
        began = time.monotonic()
        calls = [
            *(call.send(api, task_id=str(task["id"])) for call in NEEDING_MYSQL),
            *(keyed(number) for number in range(20, 40)),
        ]
        # Not `gather`: one that waits without an end would leave MySQL stopped.
        _, late = await asyncio.wait(sent := [*map(asyncio.ensure_future, calls)], timeout=60)
        assert not late, [each.get_stack() for each in late]
        answers = [each.result() for each in sent]
        assert time.monotonic() - began < 2 * TIMEOUT, "nobody waits twice"
        for answer in answers:
            problem(answer, 503)
            assert int(answer.headers["retry-after"]) > 0

    await asyncio.gather(*under_way)
    async with asyncio.timeout(60):
        while not (await api.get("/readyz")).is_success:  # noqa: ASYNC110  (nobody tells us)
            await asyncio.sleep(0.05)
    again = [await keyed(number) for number in range(40)]
    assert {answer.status_code for answer in again} <= {200, 201}
    listed = (await api.get("/tasks?title=keyed&limit=1000")).json()
    assert sorted(task["id"] for task in listed) == sorted(a.json()["id"] for a in again)
    assert (await complete(api, lease))["id"] == task["id"]
