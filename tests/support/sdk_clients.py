"""Fixtures of the SDK's tests, which ask for them by `pytest_plugins`."""

from collections.abc import AsyncIterator

import httpx
import pytest

from rowlock import AsyncClient
from tests.support.sdk import URL, Face, Through, face_of


@pytest.fixture
def through(api: httpx.AsyncClient) -> Through:
    """The way to the API."""
    return Through(api)


@pytest.fixture
async def sdk(through: Through) -> AsyncIterator[AsyncClient]:
    """The client, as a program has it."""
    async with AsyncClient(URL, exchange=through) as client:
        yield client


@pytest.fixture(params=["blocking", "asyncio"])
async def client(request: pytest.FixtureRequest, through: Through) -> AsyncIterator[Face]:
    """Either client, one after the other."""
    face = face_of(request.param, through)
    yield face
    await face.close()
