"""What surrounds a task that is asked about, and the asking."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.service import why
from tests.support.calls import Document

DAY = 86_400

Ask = Callable[[Any], Coroutine[Any, Any, Document]]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """A busy machine must not look like a read that takes too long. What there is else."""
    usual = why.READ_SECONDS
    monkeypatch.setattr(why, "READ_SECONDS", 15.0)
    return usual


@pytest.fixture
def ask(api: httpx.AsyncClient) -> Ask:
    """Ask about a task, or its id."""

    async def ask(task: Any) -> Document:
        answer = await api.get(f"/tasks/{getattr(task, 'id', task)}/why")
        assert answer.status_code == 200, answer.text
        found: Document = answer.json()
        return found

    return ask


@pytest.fixture
def polled(session: Session, engine: Engine) -> Callable[..., None]:
    """A worker has asked for tasks of queues, a JSON array, so many seconds ago."""

    def polled(seconds_ago: float = 0, queues: str | None = '["default"]') -> None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "REPLACE INTO workers (worker, queues, first_seen_at, last_seen_at) VALUES "
                    "('w', :queues, UTC_TIMESTAMP(6), "
                    "UTC_TIMESTAMP(6) - INTERVAL :us MICROSECOND)"
                ),
                {"queues": queues, "us": round(seconds_ago * 1e6)},
            )

    return polled


@pytest.fixture
def swept(session: Session, engine: Engine) -> Callable[..., None]:
    """A scheduler has last told of itself so many seconds ago."""

    def swept(seconds_ago: float = 0) -> None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "REPLACE INTO sweep_reports (sweep, runs, moved, last_run_at) VALUES "
                    "('promote', 1, 0, UTC_TIMESTAMP(6) - INTERVAL :us MICROSECOND)"
                ),
                {"us": round(seconds_ago * 1e6)},
            )

    return swept


@pytest.fixture
def well(polled: Callable[..., None], swept: Callable[..., None]) -> None:
    """A worker asks, and a scheduler runs, however much time passes."""
    polled(-DAY)
    swept(-DAY)


@pytest.fixture
def stranger(engine: Engine) -> Iterator[Any]:
    """A second connection, which is rolled back in the end."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def names(found: Document) -> list[str]:
    """The reasons, in their order."""
    return [reason["reason"] for reason in found["reasons"]]


def only(found: Document) -> Document:
    """The only reason, whose name goes without saying."""
    (reason,) = found["reasons"]
    return dict(reason)
