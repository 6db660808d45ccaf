"""Kills connections at a moment of the test's choosing."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from app.mysql.connection import Connection


class Killer:
    """Kills a connection just before one of the statements it runs; those before are counted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._left = 0
        self.is_after_commit = False
        self.struck: str | None = None

    def strike_before(self, statement: int) -> None:
        """The so many-th from now on, the commit being one."""
        self._left = statement
        self.struck = None

    def strike_after_commit(self) -> None:
        """MySQL has done it, and nobody hears of it."""
        self.is_after_commit = True
        self.struck = None

    def has_come(self, what: str, driver: Any) -> None:
        self._left -= 1
        if self._left == 0:
            self.kill(what, driver)

    def kill(self, what: str, driver: Any) -> None:
        self.struck = what
        with self._engine.connect() as connection:
            connection.execute(text("KILL :id"), {"id": driver.thread_id()})
            # Until it is rolled back it holds its rows, and whoever skips locked ones skips them.
            # It is gone from the process list before that: so wait for the rows themselves.
            for table in (
                *("schedules", "tasks", "task_groups", "group_waits", "history", "counter_deltas"),
            ):
                connection.execute(text(f"SELECT COUNT(*) FROM {table} FOR UPDATE"))


def watching(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Killer:
    """One that sees all that this process sends."""
    killer = Killer(engine)
    # Each write of a kind has to run the same statements: the time is asked for once, and so are
    # the ids of tags.
    monkeypatch.setattr("app.mysql.connection.CLOCK_CARRIED_SECONDS", 3600)
    monkeypatch.setattr("app.mysql.connection.CLOCK_ROUND_TRIP_SECONDS", 3600)
    monkeypatch.setattr("app.queue.tags.IDS_SECONDS", 3600)
    execute, commit = Connection._execute, Connection.commit

    async def watched_execute(connection: Connection, statement: str, *args: Any) -> Any:
        is_commit = statement.endswith("; COMMIT")
        killer.has_come("commit" if is_commit else "statement", connection._driver)
        return await execute(connection, statement, *args)

    async def watched_commit(connection: Connection) -> None:
        if not connection._last:
            killer.has_come("commit", connection._driver)
        await commit(connection)
        if killer.is_after_commit:
            killer.is_after_commit = False
            killer.kill("after commit", connection._driver)
            await commit(connection)

    monkeypatch.setattr(Connection, "_execute", watched_execute)
    monkeypatch.setattr(Connection, "commit", watched_commit)
    return killer
