"""What tests of the service's insides have in common."""

import asyncio

import pytest

from app.service.waiting import Waiter


@pytest.fixture
def begins_to_wait(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[None]":
    """Gets an item whenever a caller of a long poll in this process has found nothing and
    begins to wait."""
    began: asyncio.Queue[None] = asyncio.Queue()
    wait = Waiter.wait

    async def noted(waiter: Waiter[object], seconds: float) -> None:
        began.put_nowait(None)
        await wait(waiter, seconds)

    monkeypatch.setattr(Waiter, "wait", noted)
    return began
