"""What `rowlock.testing` says of an attempt is what the server says of the task."""

from collections.abc import Callable
from typing import Any

import pytest

from rowlock import AsyncClient, Permanent, Retry, RunningAttempt, Task, testing
from tests.support.sdk import Through, a_worker

pytest_plugins = ["tests.support.sdk_clients"]

RAISED: dict[str, Callable[[], Exception]] = {
    "permanent": lambda: Permanent("no"),
    "retry": lambda: Retry("busy"),
    "any": lambda: KeyError("colour"),
}


@pytest.mark.parametrize("retry_limit", [0, 3])
@pytest.mark.parametrize("payload", [*RAISED, "fine", "no JSON"])
async def test_it_ends_as_on_a_server(
    sdk: AsyncClient, through: Through, payload: str, retry_limit: int
) -> None:
    worker = a_worker(through)

    @worker.handler("handle", retry_delay_seconds=3600)
    def handle(task: Task, attempt: RunningAttempt) -> Any:
        if payload in RAISED:
            raise RAISED[payload]()
        return object() if payload == "no JSON" else (1, 2.5)

    task = await handle.submit_async(payload, client=sdk, retry_limit=retry_limit)
    await worker.run_async(drain=True)
    real = await sdk.get(task.id)
    made = await testing.run_async(handle, payload, retry_limit=retry_limit)
    assert (made.status, made.result, made.error) == (real.status, real.result, real.error)
