"""Real processes for each test, on the servers of this run."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.deployment import Api, Deployment


@pytest.fixture
def deployment(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Deployment]:
    """An empty database with the schema in place; nothing runs yet."""
    with closing(
        Deployment(tmp_path, database_url=database_url, redis_url=redis_url)
    ) as deployment:
        yield deployment


@pytest.fixture
def api(deployment: Deployment) -> Api:
    """One API, ready, without a scheduler."""
    return deployment.serve()
