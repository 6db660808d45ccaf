"""What a unique key costs: round trips to MySQL."""

from typing import Any

import httpx
import pytest

from app.mysql.connection import Connection
from tests.support import calls
from tests.support.calls import Document
from tests.support.unique_tasks import KEY


async def test_a_call_without_a_key_pays_no_statement_and_one_with_a_key_few(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    driver = Connection._execute

    async def noted(connection: Connection, statement: str, *arguments: Any) -> Any:
        # Of the clock's own there is one a second, whoever comes first.
        if "UTC_TIMESTAMP(6), (SELECT" not in statement and "processes" not in statement:
            sent.append(statement)
        return await driver(connection, statement, *arguments)

    monkeypatch.setattr(Connection, "_execute", noted)

    async def round_trips(fields: Document) -> list[str]:
        sent.clear()
        answer = await api.post("/tasks", json={"title": "x"} | fields)
        assert answer.status_code in (200, 201), answer.text
        return [*sent]

    plain = await round_trips({})
    assert len(plain) == 2, "the task, and all else with the commit"
    assert not any("unique_key" in statement for statement in plain)
    new = await round_trips({"unique": KEY})
    assert len(new) == 4, "a look, one more with the lock, the task; the key goes with the commit"
    assert len(await round_trips({"unique": KEY})) == 2, (
        "the keys, the holder, and no commit of any"
    )
    replaced = await round_trips({"unique": KEY | {"conflict": "replace"}, "payload": 1})
    assert len(replaced) == 3, "the keys, the holder, its change"

    async def of_claim(limit: int) -> list[str]:
        sent.clear()
        assert len(await calls.claim(api, limit=limit)) == limit
        return [*sent]

    first = await of_claim(1)
    assert not any("unique_keys" in statement for statement in first)
    second = await of_claim(1)
    assert len(second) == len(first), "the key goes with the commit"
    assert "DELETE unique_keys" in second[-1]
