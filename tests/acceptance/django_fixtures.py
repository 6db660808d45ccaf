"""A Django project with two backends on a real server; tests ask for it by `pytest_plugins`."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from rowlock import Client
from tests.acceptance import django_jobs as jobs
from tests.acceptance.deployment import ServeWith
from tests.acceptance.django_project import QUEUES


@pytest.fixture(scope="module")
def url(serve_with: ServeWith) -> str:
    return serve_with({}).url


@pytest.fixture
def django_project(url: str) -> Iterator[None]:
    """Two backends on this server, with one retry and none; each test has queues of its own."""
    backend = {"BACKEND": "rowlock.django.RowlockBackend", "QUEUES": QUEUES}
    quick = {"url": url, "retry_limit": 1, "retry_delay_seconds": 0, "retry_backoff": "fixed"}
    tasks = {
        "default": backend | {"OPTIONS": quick | {"timeout_seconds": 77}},
        "other": backend | {"OPTIONS": {"url": url, "retry_limit": 0}},
    }
    jobs.seen.clear()
    with override_settings(TASKS=tasks):
        yield
    with Client(url) as client:
        for task in client.list():
            client.delete(task.id)
