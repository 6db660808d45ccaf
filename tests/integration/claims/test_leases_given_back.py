"""A lease whose caller is no longer there is given back, not left to its time-out."""

import asyncio
from collections.abc import Collection
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from app.queue.requests import Claim, Move
from app.runtime.light_event import LightEvent
from app.service.leases import LeaseService
from app.service.resources import Resources
from tests.support.calls import claim_one, get
from tests.support.factories import TaskFactory
from tests.support.worker_calls import attempts


async def test_what_was_claimed_for_a_caller_that_left_meanwhile_is_given_back(
    resources: Resources,
    session: Session,
    api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task_id = TaskFactory().id
    worker = LeaseService(resources)
    caller = asyncio.create_task(worker.finish_and_claim([], Claim("gone", ("default",), 1)))
    moved = resources.after_commit.moved

    async def the_caller_leaves(moves: Collection[Move], **rest: Any) -> None:
        caller.cancel()
        await moved(moves, **rest)

    monkeypatch.setattr(resources.after_commit, "moved", the_caller_leaves)
    with pytest.raises(asyncio.CancelledError):
        await caller
    await worker.drain()

    assert (await get(api, task_id))["status"] == "to_do"
    assert [a["outcome"] for a in await attempts(api, task_id)] == ["released"]
    assert (await claim_one(api))["task"]["id"] == task_id


async def test_what_a_poll_claims_at_its_first_look_is_given_back_to_a_caller_that_left_meanwhile(
    resources: Resources,
    session: Session,
    api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task_id = TaskFactory().id
    worker = LeaseService(resources)
    moved = resources.after_commit.moved
    gone = LightEvent()

    async def the_caller_leaves(moves: Collection[Move], **rest: Any) -> None:
        gone.set()
        await moved(moves, **rest)

    monkeypatch.setattr(resources.after_commit, "moved", the_caller_leaves)
    claim = Claim("gone", ("default",), 1)
    turned = await worker.finish_and_claim([], claim, wait_seconds=30, gone=gone)
    assert turned.claimed == []
    await worker.drain()

    assert (await get(api, task_id))["status"] == "to_do"
    assert [a["outcome"] for a in await attempts(api, task_id)] == ["released"]
