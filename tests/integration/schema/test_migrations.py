"""Migrations: what they say to the server, and what becomes of one that is interrupted."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.script import ScriptDirectory
from pymysql import err
from sqlalchemy import Engine, event

from app.domain.errors import UnfitServerError
from app.mysql import migration, revisions
from app.mysql.ddl import COPY, IN_PLACE
from app.settings import Settings
from tests.drift import described

CHANGE: Final = re.compile(r"ALTER TABLE|(CREATE|DROP)( \w+)? INDEX", re.IGNORECASE)
COST: Final = re.compile(r"ALGORITHM=(INSTANT|(INPLACE|COPY), LOCK=(NONE|SHARED))")
WRITES: Final = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
NOT_SUPPORTED: Final = {1845, 1846}


class InterruptedMigrationError(Exception):
    """A migration was ended by force."""


@contextmanager
def listening(moment: str, hear: Callable[[str, Any], None]) -> Iterator[None]:
    """Hear each statement and its cursor, before or after it is executed."""

    def listener(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        hear(" ".join(statement.split()), cursor)

    event.listen(Engine, moment, listener)
    try:
        yield
    finally:
        event.remove(Engine, moment, listener)


def test_every_change_of_a_table_says_what_it_costs_and_costs_no_more_than_it_has_to(
    fresh: Settings,
) -> None:
    changes: list[str] = []

    def hear(statement: str, cursor: Any) -> None:
        if CHANGE.match(statement):
            changes.append(statement)
        if COPY in statement:
            with pytest.raises(err.MySQLError) as refused:
                cursor.execute(statement.replace(COPY, IN_PLACE))
            assert refused.value.args[0] in NOT_SUPPORTED, f"need not copy: {statement}"

    with listening("before_cursor_execute", hear):
        migration.upgrade(fresh)
        migration.downgrade(fresh)

    assert len(changes) > 20
    assert [change for change in changes if not COST.search(change)] == []


def test_a_migration_that_is_interrupted_anywhere_is_simply_run_again(
    fresh: Settings, fresh_engine: Engine
) -> None:
    done: set[str] = set()

    def interrupt(statement: str, _cursor: Any) -> None:
        if statement.startswith(WRITES) and statement not in done:
            done.add(statement)
            raise InterruptedMigrationError

    def run_in_steps(migrate: Callable[[Settings], object]) -> int:
        """Each time it comes by one statement further than the last time."""
        with listening("after_cursor_execute", interrupt):
            for interruptions in range(100):
                try:
                    migrate(fresh)
                except InterruptedMigrationError:
                    continue
                return interruptions
        raise AssertionError("comes to no end")

    assert run_in_steps(migration.upgrade) > 30
    made = described(fresh_engine)
    assert run_in_steps(migration.downgrade) > 15
    assert described(fresh_engine) == []
    migration.upgrade(fresh)
    assert described(fresh_engine) == made


def test_a_migration_that_comes_to_no_end_for_another_transaction_says_so(
    fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def wait_in_vain(
        _connection: Any, _cursor: Any, statement: str, given: Any, *_: Any
    ) -> tuple[str, Any]:
        if statement.startswith("ALTER TABLE task_tags"):
            statement = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205"
        return statement, given

    event.listen(Engine, "before_cursor_execute", wait_in_vain, retval=True)
    try:
        with pytest.raises(UnfitServerError, match="Another transaction holds a table"):
            migration.upgrade(fresh)
    finally:
        event.remove(Engine, "before_cursor_execute", wait_in_vain)

    assert pauses[:3] == [1, 2, 4]
    assert 500 < sum(pauses) < 600
    assert migration.upgrade(fresh) == revisions.head()


def test_the_servers_defaults_do_not_matter(wrong_defaults: None, fresh: Settings) -> None:
    migration.upgrade(fresh)
    migration.downgrade(fresh)


def test_alembics_own_command_works_from_any_folder(
    fresh: Settings, project: Path, tmp_path: Path
) -> None:
    migration.upgrade(fresh)
    shown = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", project / "alembic.ini", "current"],
        env=os.environ | {"ROWLOCK_DATABASE_URL": fresh.database_url},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert shown == f"{revisions.head()} (head)\n"


def test_who_serves_knows_the_newest_revision_without_alembic() -> None:
    """It is a quarter of what a process loads at its start."""
    program = (
        "import sys, app.processes.server, app.processes.scheduler; "
        "from app.mysql import revisions; "
        "print(revisions.head(), 'alembic' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    script = ScriptDirectory.from_config(migration.config_for())
    assert said.split() == [script.get_current_head(), "False"]
