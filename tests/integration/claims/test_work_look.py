"""The look for those who wait: whole where that is quick, else from where queues begin."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.queue.attempts import poll_checks
from app.queue.attempts.claim_marks import Look
from app.service import work_look
from app.service.resources import Resources
from app.service.work_look import SHARE, WorkLook
from tests.support.factories import TaskFactory

WANTED = {"default": 2, "mail": 1}


class Slow:
    """A look that takes so many seconds, and notes whether it went from the beginning."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.takes = 0.0
        self.whole: list[bool] = []
        self._claimable = poll_checks.claimable
        monkeypatch.setattr(work_look, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(poll_checks, "claimable", self)

    async def __call__(
        self, connection: Connection, wanted: Mapping[str, int], looks: Mapping[str, Look]
    ) -> Any:
        self.whole.append(all(look.is_from_the_beginning for look in looks.values()))
        self.now += self.takes
        return await self._claimable(connection, wanted, looks)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


@pytest.fixture
def look(resources: Resources) -> WorkLook:
    return WorkLook(resources.database, resources.claims.marks)


async def test_a_quick_look_is_whole_each_time(look: WorkLook, slow: Slow) -> None:
    slow.takes = 0.001
    for _ in range(3):
        assert await look(WANTED) == {}
        slow.now += 0.08
    assert slow.whole == [True] * 3


async def test_a_look_that_takes_long_is_whole_a_small_share_of_the_time(
    look: WorkLook, slow: Slow, session: Session
) -> None:
    slow.takes = 0.04
    assert await look(WANTED) == {}
    for _ in range(3):
        slow.now += 0.08
        await look(WANTED)
    assert slow.whole == [True, False, False, False]
    TaskFactory(queue="mail")  # created a minute ago
    assert await look(WANTED) == {}
    slow.now += SHARE * slow.takes
    assert await look(WANTED) == {"mail": 1}


async def test_what_has_come_since_is_found_by_any_look(
    look: WorkLook, slow: Slow, session: Session, resources: Resources
) -> None:
    slow.takes = 0.04
    await look(WANTED)
    created_at = await resources.database.read(lambda connection: connection.now())
    for _ in range(3):
        TaskFactory(created_at=created_at)
    assert await look(WANTED) == {"default": 2}
    assert slow.whole == [True, False]


async def test_of_many_queues_those_with_work_are_found_each_with_as_much_as_is_wanted(
    look: WorkLook, session: Session
) -> None:
    for number in (7, 7, 7, 700, 1400):
        TaskFactory(queue=f"q{number}")
    wanted = {f"q{number}": 2 for number in range(1500)}
    assert await look(wanted) == {"q7": 2, "q700": 1, "q1400": 1}
