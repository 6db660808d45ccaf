"""Workers that wait for tasks hear of slots, wherever those become free."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.support.calls import claim, complete, submit
from tests.support.elapse import elapse
from tests.support.groups import check, claimed, ids, limit

# A look a second, and what the machine adds.
SOON = 2.5


@pytest.fixture(params=["with_redis", "without_redis"])
def api_settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    found = settings if request.param == "with_redis" else request.getfixturevalue("without_redis")
    assert isinstance(found, Settings)
    return found


Served = tuple[httpx.AsyncClient, httpx.AsyncClient, Engine]


@pytest.fixture
def served(api: httpx.AsyncClient, other_api: httpx.AsyncClient, engine: Engine) -> Served:
    """Two processes, and their database."""
    return api, other_api, engine


SLOWLY = {"limit": 1, "per_seconds": 60, "burst": 1}


@pytest.mark.parametrize(
    ("settings_of_queue", "seconds"),
    [
        ({"running": 1}, 0),
        ({"running_per_group": 1, "fair": True}, 0),
        ({"running": 1}, 31),
        ({"rate": SLOWLY}, 61),
    ],
    ids=["the queue's", "its group's", "timed out", "the rate's next"],
)
async def test_a_worker_of_another_process_is_woken(
    served: Served,
    resources: Resources,
    begins_to_wait: "asyncio.Queue[None]",
    settings_of_queue: dict[str, Any],
    seconds: int,
) -> None:
    api, other, engine = served
    await limit(api, "default", **settings_of_queue)
    tasks = [await submit(api, group="a", timeout_seconds=30, retry_limit=0) for _ in range(2)]
    (lease,) = await claimed(api, until=1)
    waiting = asyncio.create_task(claim(other, wait_seconds=20, limit=1))
    await begins_to_wait.get()
    began = time.monotonic()
    if seconds:
        elapse(engine, seconds)
        await sweeping.SWEEPS["time_out"](resources)
        await sweeping.SWEEPS["slots"](resources)
    else:
        await complete(api, lease)
    assert ids(await waiting) == [tasks[1]["id"]]
    assert time.monotonic() - began < SOON
    check(engine)
