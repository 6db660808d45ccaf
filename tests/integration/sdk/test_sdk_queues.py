"""Queues from Python: their state, their settings, the limits of their groups. Both clients."""

import httpx
import pytest

from rowlock.errors import InvalidRequestError
from tests.support.calls import claim_one
from tests.support.sdk import Face, Through, answer_lost

pytest_plugins = ["tests.support.sdk_clients"]


async def test_management_of_queues(client: Face, api: httpx.AsyncClient) -> None:
    await client.submit("a task", queue="q")
    state = await client.admin.pause_queue("q")
    assert state.paused
    assert state.paused_at is not None
    (queue,) = await client.admin.queues()
    assert (queue.queue, queue.paused, queue.paused_at) == ("q", True, state.paused_at)
    state = await client.admin.resume_queue("q")
    assert (state.paused, state.paused_at) == (False, None)
    await claim_one(api, queues=["q"])


async def test_settings_of_queues(client: Face, through: Through) -> None:
    unset = await client.admin.queue_settings("q")
    assert (unset.queue, unset.ageing_seconds, unset.in_force_at) == ("q", None, None)
    through.spoil("PUT /admin/queues/q/settings", answer_lost)
    ages = {"中": 600, "low": 3600}
    settings = await client.admin.set_queue_settings("q", ageing_seconds=ages)
    assert settings.ageing_seconds == {"中": 600, "低": 3600}
    assert settings.in_force_at is not None
    assert await client.admin.queue_settings("q") == settings
    assert (await client.admin.set_queue_settings("q")).ageing_seconds is None
    with pytest.raises(InvalidRequestError, match=r"ageing_seconds\.低"):
        await client.admin.set_queue_settings("q", ageing_seconds={"低": 0})


async def test_limits_of_queues_and_groups(client: Face, through: Through) -> None:
    settings = await client.admin.set_queue_settings("q", running=5, running_per_group=2)
    assert (settings.running, settings.running_per_group) == (5, 2)
    rate = {"limit": 60, "per_seconds": 60}
    paced = await client.admin.set_queue_settings("other", fair=True, rate=rate)
    assert (paced.fair, paced.rate, paced.rate_per_group) == (True, rate | {"burst": 1}, None)
    through.spoil("PUT /admin/queues/q/groups/a%2F.", answer_lost)
    group = await client.admin.set_queue_group("q", "a/.", running=1)
    assert (group.group, group.held, group.waiting, group.running_limit) == ("a/.", 0, 0, 1)
    assert await client.admin.queue_groups("q") == [group]
    assert await client.admin.queue_groups("q", waiting=True) == []
    heavy = await client.admin.set_queue_group("q", "a/.", weight=3)
    assert (heavy.weight, heavy.running_limit, heavy.next_token_at) == (3, 2, None)
    assert await client.admin.queue_groups("q") == [heavy]
    through.spoil("DELETE /admin/queues/q/groups/a%2F.", answer_lost)
    await client.admin.unset_queue_group("q", "a/.")
    assert await client.admin.queue_groups("q") == []
    task = await client.submit("x", queue="q", group="a/.")
    assert (task.group, (await client.get(task.id)).group) == ("a/.", "a/.")
