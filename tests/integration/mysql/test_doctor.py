"""`rowlock doctor`, and what `rowlock serve` refuses to start on."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, insert, text
from sqlalchemy.engine import make_url

from app.domain.errors import UnfitServerError
from app.domain.findings import Finding
from app.mysql import migration, revisions
from app.mysql.schema import CounterValue
from app.processes.doctor import examine, prove_skip_locked
from app.settings import Settings
from tests.conftest import serving


def rowlock(
    settings: Settings, *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """The command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")}
        | {"ROWLOCK_DATABASE_URL": settings.database_url, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(settings)}


@pytest.fixture
def empty(settings: Settings, engine: Engine) -> Iterator[Settings]:
    """A database on the same server, without a schema."""
    name = f"doctor_{secrets.token_hex(4)}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(settings.database_url).set(database=name)
    # Made anew: a copy would keep the URLs that were derived from the other one.
    given = {"database_url": url.render_as_string(hide_password=False)}
    yield Settings(**settings.model_dump() | given)
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))


@pytest.fixture
def empty_engine(empty: Settings) -> Iterator[Engine]:
    engine = create_engine(empty.sync_url)
    yield engine
    engine.dispose()


def test_a_server_that_is_fit_gets_its_reasons_told(settings: Settings, engine: Engine) -> None:
    findings = found(settings)
    with engine.connect() as connection:
        version, flush, log_bin = connection.execute(
            text("SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@log_bin")
        ).one()

    assert str(version) in findings["version"].detail
    assert findings["isolation"].detail.startswith("READ COMMITTED")
    assert findings["schema"].detail == f"revision {revisions.head()}"
    assert "ix_tasks_claim" in findings["claim"].detail
    assert "filesort" not in findings["claim"].detail
    for what in ("version", "isolation", "clock", "schema", "claim", "SKIP LOCKED"):
        assert findings[what].verdict == "ok", findings[what]
    # What a test server gives up for speed is just what has to be said of it.
    flushing = findings["innodb_flush_log_at_trx_commit"]
    assert flushing.verdict == ("ok" if flush == 1 else "bad")
    assert findings["sync_binlog"].verdict == "note" or log_bin


def test_the_command_tells_it_line_by_line_and_ends_accordingly(settings: Settings) -> None:
    findings = examine(settings)
    assert settings.redis_url is not None
    ran = rowlock(settings, "doctor", ROWLOCK_REDIS_URL=settings.redis_url)

    assert len(ran.stdout.splitlines()) == len(findings)
    for line, finding in zip(ran.stdout.splitlines(), findings, strict=True):
        assert line.startswith({"ok": "✓", "note": "·", "bad": "✗"}[finding.verdict])
        assert finding.what in line
    assert ran.returncode == any(finding.verdict == "bad" for finding in findings)
    assert ran.stderr == ""


@pytest.mark.parametrize("command", ["serve", "scheduler", "recount"])
def test_a_database_without_a_schema_is_refused_naming_the_command(
    empty: Settings, command: str
) -> None:
    ran = rowlock(empty, command)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        f"rowlock: The database has no schema; this version needs {revisions.head()}. "
        "Run `rowlock migrate` first."
    )


def test_a_recount_tells_of_a_tag_in_a_line_of_its_own(settings: Settings, engine: Engine) -> None:
    hostile = "\x1b[31mred\nAll are correct."
    with engine.begin() as connection:
        connection.execute(insert(CounterValue).values(name=f"tag/{hostile}", value=3))
    assert rowlock(settings, "recount").stdout.splitlines() == [
        r"tag/\x1b[31mred\nAll are correct.: -3",
        "1 counters were wrong and are now correct.",
    ]


def test_a_database_of_an_older_version_is_refused_naming_the_command(
    empty: Settings, empty_engine: Engine
) -> None:
    assert rowlock(empty, "migrate").returncode == 0
    assert found(empty)["schema"].verdict == "ok"
    with empty_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    ran = rowlock(empty, "serve")

    assert ran.returncode == 1
    assert "has schema revision 0001" in ran.stderr
    assert "`rowlock migrate`" in ran.stderr
    assert found(empty)["schema"].verdict == "bad"


def test_a_database_that_a_newer_version_has_migrated_is_served_and_left_alone(
    empty: Settings, empty_engine: Engine
) -> None:
    assert rowlock(empty, "migrate").returncode == 0
    with empty_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert rowlock(empty, "recount").returncode == 0
    assert found(empty)["schema"].verdict == "ok"
    assert rowlock(empty, "migrate").stdout == "The schema is at revision 9999.\n"


def test_another_programs_database_is_not_taken_for_a_newer_version(
    empty: Settings, empty_engine: Engine
) -> None:
    with empty_engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('3f2a9c11d0b4')"))

    ran = rowlock(empty, "migrate")

    assert ran.returncode == 1
    assert "another program: revision 3f2a9c11d0b4" in ran.stderr
    assert rowlock(empty, "serve").returncode == 1
    assert found(empty)["schema"].verdict == "bad"


def test_a_process_that_is_up_to_date_does_not_wait_for_a_migration(
    empty: Settings, empty_engine: Engine
) -> None:
    assert rowlock(empty, "migrate").returncode == 0
    with empty_engine.connect() as connection:
        lock = f"rowlock-migrate-{make_url(empty.database_url).database}"
        assert connection.execute(text("SELECT GET_LOCK(:name, 0)"), {"name": lock}).scalar() == 1
        assert rowlock(empty, "migrate").returncode == 0


def test_two_migrations_at_once_are_one(empty: Settings, empty_engine: Engine) -> None:
    with ThreadPoolExecutor() as threads:
        ran = list(threads.map(lambda _: rowlock(empty, "migrate"), range(3)))

    assert [one.returncode for one in ran] == [0, 0, 0], ran
    assert found(empty)["schema"].verdict == "ok"


def test_doctor_says_of_an_empty_database_what_to_do(empty: Settings) -> None:
    ran = rowlock(empty, "doctor")
    assert ran.returncode == 1
    assert "run `rowlock migrate`" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


async def test_an_api_without_a_schema_is_not_ready_and_says_what_to_do(empty: Settings) -> None:
    async with serving(empty) as api:
        answer = await api.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert "`rowlock migrate`" in answer.json()["parts"]["schema"]
        assert answer.json()["parts"]["mysql"] == "ok"
        assert (await api.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("written", "run"),
    [(" SKIP LOCKED", ""), (" FOR UPDATE SKIP LOCKED", "")],
    ids=["waits", "locks nothing"],
)
def test_a_server_that_does_not_skip_is_found_out(
    settings: Settings, engine: Engine, written: str, run: str
) -> None:
    """As on a server that reads SKIP LOCKED and ignores it."""

    def ignore(*call: Any) -> tuple[str, Any]:
        statement, parameters = call[2], call[3]
        return statement.replace(written, run), parameters

    event.listen(engine, "before_cursor_execute", ignore, retval=True)
    try:
        with pytest.raises(UnfitServerError, match="does not skip locked rows"):
            prove_skip_locked(engine)
    finally:
        event.remove(engine, "before_cursor_execute", ignore)
    prove_skip_locked(engine)


def test_a_proof_without_rows_proves_nothing(empty: Settings, empty_engine: Engine) -> None:
    migration.upgrade(empty)
    with empty_engine.begin() as connection:
        connection.execute(text("DELETE FROM skip_locked_proof"))
    with pytest.raises(UnfitServerError):
        prove_skip_locked(empty_engine)

    assert found(empty)["SKIP LOCKED"].verdict == "bad"
    ran = rowlock(empty, "serve")
    assert ran.returncode == 1
    assert "does not skip locked rows" in ran.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_without_tokens_only_this_machine_is_served(settings: Settings, host: str) -> None:
    ran = rowlock(settings, "serve", "--host", host)
    assert ran.returncode == 1
    assert "No tokens are set" in ran.stderr
    assert host in ran.stderr
    assert "ROWLOCK_CLIENT_TOKENS" in ran.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ROWLOCK_DATABASE_URL": ""}, "ROWLOCK_DATABASE_URL: "),
        ({"ROWLOCK_DATABASE_URL": "postgres://x/y"}, "ROWLOCK_DATABASE_URL: must begin with mysql"),
        ({"ROWLOCK_PORT": "http"}, "ROWLOCK_PORT: "),
        ({"ROWLOCK_REDIS_URL": "localhost"}, "ROWLOCK_REDIS_URL: must begin with redis://"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    settings: Settings, environment: dict[str, str], said: str
) -> None:
    ran = rowlock(settings, "serve", **environment)
    assert ran.returncode == 2
    assert ran.stderr.startswith(said)
    assert "Traceback" not in ran.stderr


def test_no_password_is_told_when_the_server_is_away(settings: Settings) -> None:
    url = "mysql://rowlock:a-secret@127.0.0.1:1/rowlock"
    for command in ("serve", "doctor", "migrate", "recount"):
        ran = rowlock(settings, command, ROWLOCK_DATABASE_URL=url)
        assert ran.returncode == 1
        assert "a-secret" not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        assert "127.0.0.1" in ran.stdout + ran.stderr
