"""Fixtures of the SDK's tests, which ask for them by `pytest_plugins`."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.sdk import Face, Through, face_of


@pytest.fixture
def through(api: httpx.AsyncClient) -> Through:
    """The way to the API."""
    return Through(api)


@pytest.fixture(params=["blocking", "asyncio"])
async def client(request: pytest.FixtureRequest, through: Through) -> AsyncIterator[Face]:
    """Either client, one after the other."""
    face = face_of(request.param, through)
    yield face
    await face.close()
