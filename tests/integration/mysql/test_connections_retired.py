"""Connections to MySQL that are dead without anybody having been told."""

import asyncio

import httpx
import pytest

from app.mysql import engines
from app.mysql.connection import Connection
from app.processes.application import create_app
from app.runtime.steady_clock import steady_seconds
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import calling
from tests.support.calls import problem, submit
from tests.support.gate import Gate

# A busy machine may stand still for a second.
SECONDS = 3.0
HELD = 4


@pytest.fixture
def api_settings(behind_gate: Settings) -> Settings:
    return behind_gate.model_copy(update={"database_timeout_seconds": SECONDS})


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(engines, "steady_seconds", lambda: steady_seconds() + seconds)


async def test_what_a_firewall_drops_after_a_while_costs_no_call(
    api: httpx.AsyncClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await submit(api)
    assert (await api.get(f"/tasks/{task['id']}")).status_code == 200
    gate.forget()
    later(monkeypatch, SECONDS + 0.1)
    for _ in range(5):
        task = await submit(api)
        answer = await api.get(f"/tasks/{task['id']}/attempts")
        assert answer.status_code == 200, answer.text


async def test_of_many_that_died_together_one_is_found_out_by_a_call(
    resources: Resources, gate: Gate
) -> None:
    everybody = asyncio.Barrier(HELD)

    async def together(connection: Connection) -> None:
        await everybody.wait()  # each has a connection of its own

    async def answer(connection: Connection) -> int:
        ((number,),) = await connection.fetch("SELECT 42")
        return int(number)

    await asyncio.gather(*(resources.database.read(together) for _ in range(HELD)))
    gate.forget()
    with pytest.raises(Exception, match="no answer within"):
        await resources.database.read(answer)
    assert [await resources.database.read(answer) for _ in range(HELD)] == [42] * HELD


async def test_who_waits_for_others_is_not_told_that_mysql_is_away(settings: Settings) -> None:
    narrow = {"database_pool_size": 2, "database_timeout_seconds": 0.5}
    app = create_app(settings.model_copy(update=narrow))
    async with calling(app) as api:
        database = app.state.services.resources.database
        async with database._long_reads:  # somebody else's long read
            answer = await api.get("/tags")
            assert problem(answer, 503).title == "Database busy"
            assert answer.headers["retry-after"] == "1"
            await submit(api)
        assert (await api.get("/tags")).status_code == 200
