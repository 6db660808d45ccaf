"""Sessions: what the service sets for itself, whatever the server's defaults are."""

from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.mysql.connection import Connection
from app.service.resources import Resources
from tests.support.elapse import CLOCK_SLACK, mysql_now
from tests.support.factories import TaskFactory


async def session_settings(connection: Connection) -> dict[str, Any]:
    rows = await connection.fetch(
        "SHOW SESSION VARIABLES WHERE Variable_name IN ('time_zone', 'innodb_lock_wait_timeout', "
        "'sql_mode', 'autocommit', 'character_set_client', "
        "'character_set_connection', 'character_set_results', 'transaction_isolation', "
        "'tx_isolation')"
    )
    return {name.replace("tx_", "transaction_"): value for name, value in rows}


async def test_a_session_is_as_the_service_needs_it(
    wrong_defaults: None, resources: Resources
) -> None:
    writer = await resources.database.transact(session_settings)
    reader = await resources.database.read(session_settings)

    assert writer["transaction_isolation"] == "READ-COMMITTED"
    assert (writer["autocommit"], reader["autocommit"]) == ("OFF", "ON")
    for found in (writer, reader):
        assert found["time_zone"] == "+00:00"
        assert found["innodb_lock_wait_timeout"] == "1"
        assert "STRICT_TRANS_TABLES" in found["sql_mode"]
        for what in ("client", "connection", "results"):
            assert found[f"character_set_{what}"] == "utf8mb4"


async def test_the_clock_is_mysqls_in_utc_wherever_the_server_thinks_it_is(
    wrong_defaults: None, resources: Resources, engine: Engine
) -> None:
    before = mysql_now(engine)
    now = await resources.database.read(lambda connection: connection.now())

    assert before - CLOCK_SLACK <= now <= mysql_now(engine) + CLOCK_SLACK
    assert now.tzinfo is None


async def test_a_row_that_is_matched_counts_though_nothing_about_it_changes(
    resources: Resources, session: Session
) -> None:
    """The guards of every transition are row counts: they ask what matched."""
    TaskFactory.create_batch(3, title="same")
    written = await resources.database.transact(
        lambda connection: connection.execute("UPDATE tasks SET title = 'same'")
    )

    assert written.matched == 3


async def test_a_second_transaction_sees_what_the_first_committed_between_its_reads(
    resources: Resources, session: Session, engine: Engine, wrong_defaults: None
) -> None:
    TaskFactory(title="before")

    async def read_twice(connection: Connection) -> list[str]:
        first = await connection.fetch("SELECT title FROM tasks")
        with engine.begin() as other:
            other.execute(text("UPDATE tasks SET title = 'after'"))
        second = await connection.fetch("SELECT title FROM tasks")
        return [first[0][0], second[0][0]]

    assert await resources.database.transact(read_twice) == ["before", "after"]
