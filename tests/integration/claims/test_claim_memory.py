"""What a claim remembers of a queue hides no task from it."""

import httpx
import pytest
from sqlalchemy.orm import Session

from app.queue.attempts import claim_marks
from tests.support.calls import claim, submit
from tests.support.factories import TaskFactory


async def test_an_older_task_that_appears_late_is_found_at_once_when_there_is_no_other(
    api: httpx.AsyncClient, session: Session
) -> None:
    await submit(api)
    assert len(await claim(api)) == 1
    late = TaskFactory()

    assert [lease["task"]["id"] for lease in await claim(api)] == [late.id]


async def test_an_older_task_that_appears_late_is_first_again_once_the_memory_ends(
    api: httpx.AsyncClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await submit(api)
    assert len(await claim(api)) == 1
    late = TaskFactory()
    monkeypatch.setattr(claim_marks, "REMEMBERED_SECONDS", -1)
    monkeypatch.setattr(claim_marks, "REMEMBERED_LOOKS", 0)

    assert [lease["task"]["id"] for lease in await claim(api)] == [late.id]
