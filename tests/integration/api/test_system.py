"""`GET /me`, `GET /admin/doctor` and `GET /admin/processes`: how the server is."""

import asyncio
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

import rowlock
from app.domain.findings import Finding
from app.processes import doctor, lock_doctor
from app.processes.doctor import examine
from app.processes.scheduler import schedule
from app.queue import processes
from app.service.sweeping import SWEEPS
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import Document
from tests.support.factories import now

AWAY = {"database_url": "mysql://rowlock:a-secret@127.0.0.1:1/rowlock"}


def with_url(settings: Settings, **changed: Any) -> Settings:
    url = make_url(settings.database_url).set(**changed)
    given = {"database_url": url.render_as_string(hide_password=False)}
    return Settings(**settings.model_dump() | given)


async def found(settings: Settings) -> dict[str, Finding]:
    findings: Sequence[Finding] = await asyncio.to_thread(examine, settings)
    return {finding.what: finding for finding in findings}


async def test_a_page_learns_what_it_needs_from_the_beginning(settings: Settings) -> None:
    kept = settings.model_copy(update={"retention_days": 30})
    async with serving(kept) as api:
        me = (await api.get("/me")).json()
    assert list(me) == ["doors", "version", "time", "redis", "retention_days"]
    assert me["version"] == rowlock.__version__
    assert me["redis"] == "ok"
    assert me["retention_days"] == 30
    # MySQL's, whatever zone this machine is in.
    assert abs(datetime.fromisoformat(me["time"]) - now().replace(tzinfo=UTC)) < timedelta(
        minutes=1
    )


async def test_who_one_is_is_told_while_everything_is_away(settings: Settings) -> None:
    away = Settings(**settings.model_dump() | AWAY | {"redis_url": "redis://127.0.0.1:1/0"})
    async with serving(away) as api:
        answer = await api.get("/me")
    assert answer.status_code == 200
    assert answer.json()["time"] is None
    assert answer.json()["redis"] == "degraded"
    assert answer.json()["doors"]


async def test_without_redis_it_is_absent(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"redis_url": None})) as api:
        assert (await api.get("/me")).json()["redis"] == "absent"


async def test_the_doctor_says_by_http_what_the_command_says(
    settings: Settings, api: httpx.AsyncClient
) -> None:
    answer = await api.get("/admin/doctor")
    assert answer.status_code == 200
    told = answer.json()
    expected = await found(settings)
    assert [each["what"] for each in told["findings"]] == [*expected]
    schema = next(each for each in told["findings"] if each["what"] == "schema")
    assert schema == expected["schema"]._asdict()
    assert told["verdict"] in {finding.verdict for finding in expected.values()}
    assert 0 <= told["age_seconds"] < 60


async def test_the_doctor_is_asked_once_a_minute_however_many_ask(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(settings: Settings) -> list[Finding]:
        asked.append(settings)
        return [Finding("ok", "a", "fine"), Finding("bad", "b", "broken", "mend b")]

    monkeypatch.setattr(doctor, "examine", noted)
    async with serving(settings) as api:
        answers = await asyncio.gather(*(api.get("/admin/doctor") for _ in range(10)))
        answers.append(await api.get("/admin/doctor"))
    assert len(asked) == 1
    for answer in answers:
        assert answer.json()["verdict"] == "bad"
        assert answer.json()["findings"][1]["fix"] == "mend b"
    ages = [answer.json()["age_seconds"] for answer in answers]
    assert ages[-1] >= ages[0]


async def test_the_doctor_finds_that_mysql_is_away(settings: Settings) -> None:
    away = Settings(**settings.model_dump() | AWAY | {"redis_url": "redis://:s3cret@127.0.0.1:1/0"})
    async with serving(away) as api:
        answer = await api.get("/admin/doctor")
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "bad"
    (mysql,) = [each for each in answer.json()["findings"] if each["what"] == "connection"]
    assert "127.0.0.1" in mysql["detail"]
    assert "a-secret" not in answer.text
    assert "s3cret" not in answer.text


@pytest.fixture
def limited(settings: Settings, engine: Engine) -> Iterator[Settings]:
    """A user that may use this database, and nothing else."""
    user, password = f"o'brien{secrets.token_hex(3)}", "a-secret"
    account = f"'{user.replace(chr(39), chr(39) * 2)}'@'%'"
    database = make_url(settings.database_url).database
    with engine.begin() as connection:
        if not _may_grant(connection.execute(text("SHOW GRANTS")).scalars().all()):
            pytest.skip("this user may not make others")
        connection.exec_driver_sql(
            f"CREATE USER {account} IDENTIFIED BY '{password}'".replace("%", "%%")
        )
        connection.exec_driver_sql(f"GRANT ALL ON {database}.* TO {account}".replace("%", "%%"))
    yield with_url(settings, username=user, password=password)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP USER {account}".replace("%", "%%"))


def _may_grant(grants: Sequence[str]) -> bool:
    return any("WITH GRANT OPTION" in grant or "CREATE USER" in grant for grant in grants)


async def test_what_may_not_be_seen_is_said_with_the_grant_that_it_needs(
    limited: Settings, engine: Engine
) -> None:
    for what in ("lock waits", "oldest transaction"):
        finding = (await found(limited))[what]
        assert finding.verdict == "note"
        assert "may not see" in finding.detail
        assert finding.fix is not None
        with engine.begin() as connection:
            for statement in filter(None, finding.fix.split(";")):
                connection.exec_driver_sql(statement.replace("%", "%%"))
        assert (await found(limited))[what].verdict == "ok"
        with engine.begin() as connection:
            account = finding.fix.rstrip(";").rpartition(" TO ")[2].replace("%", "%%")
            connection.exec_driver_sql(f"REVOKE PROCESS ON *.* FROM {account}")


async def test_who_waits_for_whom_is_told(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = "SELECT id FROM skip_locked_proof WHERE id = 1 FOR UPDATE"
    with engine.connect() as holding, engine.connect() as waiting:
        holder = holding.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        waiter = waiting.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        waiting.exec_driver_sql("SET innodb_lock_wait_timeout = 60")
        holding.exec_driver_sql(lock)
        wait = asyncio.create_task(asyncio.to_thread(waiting.exec_driver_sql, lock))
        async with asyncio.timeout(50):
            while (finding := (await found(settings))["lock waits"]).verdict == "ok":  # noqa: ASYNC110
                # InnoDB shows what it showed last until nobody has looked for 0.1 s.
                await asyncio.sleep(0.2)
        assert finding.detail.startswith(f"connection {waiter} has waited for ")
        assert f"skip_locked_proof, which connection {holder} (" in finding.detail
        assert finding.fix == f"KILL {holder};"

        oldest = (await found(settings))["oldest transaction"]
        assert oldest.verdict == "ok"
        monkeypatch.setattr(lock_doctor, "OLD_SECONDS", 0)
        oldest = (await found(settings))["oldest transaction"]
        assert oldest.verdict == "note"
        assert re.fullmatch(r"KILL \d+;", oldest.fix or "")
        holding.rollback()
        await wait


async def processes_of(api: httpx.AsyncClient) -> Document:
    answer = await api.get("/admin/processes")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_processes_are_there_with_their_sweeps_until_they_end(
    settings: Settings, api: httpx.AsyncClient
) -> None:
    stopped = asyncio.Event()
    scheduler = asyncio.create_task(schedule(settings, stopped))
    async with asyncio.timeout(60):
        while len((found := await processes_of(api))["sweeps"]) < len(SWEEPS):
            pass
    assert {each["kind"] for each in found["processes"]} == {"api", "scheduler"}
    for process in found["processes"]:
        assert process["version"] == rowlock.__version__
        assert process["state"] == "running"
        assert process["running_since"] <= process["last_seen_at"]
    assert [each["sweep"] for each in found["sweeps"]] == sorted(SWEEPS)
    assert all(each["runs"] > 0 for each in found["sweeps"])
    stopped.set()
    await scheduler
    assert [each["kind"] for each in (await processes_of(api))["processes"]] == ["api"]


async def test_a_process_that_was_killed_is_silent(
    api: httpx.AsyncClient, session: Session, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO processes (id, kind, version, running_since, last_seen_at) VALUES "
                "('dead', 'scheduler', '0.0.9', UTC_TIMESTAMP(6) - INTERVAL 1 HOUR, "
                "UTC_TIMESTAMP(6) - INTERVAL :seconds SECOND)"
            ),
            {"seconds": processes.GAP_SECONDS + 1},
        )
    (dead,) = [each for each in (await processes_of(api))["processes"] if each["id"] == "dead"]
    assert (dead["state"], dead["version"]) == ("silent", "0.0.9")


async def test_a_doctor_waits_for_a_mysql_that_hangs_no_longer_than_it_is_told_to(
    settings: Settings,
) -> None:
    """It takes the connection and says nothing."""
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(600), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    hanging = with_url(settings, host="127.0.0.1", port=port).model_copy(
        update={"database_timeout_seconds": 0.2, "redis_url": None}
    )
    async with asyncio.timeout(30):
        findings = await asyncio.to_thread(doctor.examine, hanging)
    assert findings[0].what == "connection"
    silent.close()
