"""What `rowlock doctor` looks at, and the one proof without which `serve` refuses a MySQL."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, exc

from app.domain.errors import UnfitServerError
from app.domain.findings import Finding
from app.mysql import revisions
from app.mysql.engines import sync_engine
from app.processes import lock_doctor, redis_doctor
from app.queue.attempts.claim_marks import BEGINNING
from app.queue.figures.stats import SWEEPS
from app.queue.statements import CLAIM
from app.runtime.metrics import SweepFigure, scheduler_state
from app.settings import Settings

LEAST_MYSQL: Final = (8, 0, 1)
LEAST_MARIADB: Final = (10, 6, 0)
CLOCK_TOLERANCE_SECONDS: Final = 2.0


def examine(settings: Settings) -> list[Finding]:
    """Everything there is to say about these servers. Raises nothing that they cause."""
    return [*_examine_mysql(settings), *redis_doctor.examine(settings)]


def _examine_mysql(settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    with _engine(settings, settings.database_timeout_seconds) as engine:
        try:
            with engine.connect() as connection:
                for look in (_version, _isolation, _durability, _clock, _schema):
                    findings += look(connection)
                if revisions.revision_in(connection) is None:
                    return findings
                findings += _explain(connection)
                findings += _sweeps(connection)
                findings += lock_doctor.examine(connection)
        except exc.DBAPIError as error:
            return [*findings, Finding("bad", "connection", str(error.orig))]
        try:
            prove_skip_locked(engine)
            findings.append(
                Finding("ok", "SKIP LOCKED", "a second connection skips the locked row")
            )
        except UnfitServerError as error:
            findings.append(Finding("bad", "SKIP LOCKED", str(error)))
        except exc.DBAPIError as error:
            findings.append(Finding("bad", "SKIP LOCKED", str(error.orig)))
    return findings


def require_skip_locked(settings: Settings) -> None:
    """Raises `UnfitServerError` for a server on which two workers could get one task."""
    with _engine(settings) as engine:
        prove_skip_locked(engine)


def prove_skip_locked(engine: Engine) -> None:
    """Two connections: the second has to get another row than the one the first has locked.

    Some servers parse SKIP LOCKED and ignore it (pingcap/tidb #69720).
    """
    select = "SELECT id FROM skip_locked_proof ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    with engine.connect() as first, engine.connect() as second:
        held = first.exec_driver_sql(select).scalar()
        second.exec_driver_sql("SET innodb_lock_wait_timeout = 1")
        try:
            got = second.exec_driver_sql(select).scalar()
        except exc.OperationalError as error:
            got = str(error.orig)
        second.rollback()
        first.rollback()
    if not isinstance(held, int) or not isinstance(got, int) or held == got:
        raise UnfitServerError(
            reason="This server does not skip locked rows: SELECT … FOR UPDATE SKIP LOCKED gave "
            f"row {held} to one connection and {got} to another. Two workers could get one task. "
            "Use MySQL 8.0.1 or later, or MariaDB 10.6 or later."
        )


def _version(connection: Connection) -> Iterator[Finding]:
    version, comment = connection.exec_driver_sql("SELECT VERSION(), @@version_comment").one()
    is_mariadb = _is_mariadb(connection)
    least = LEAST_MARIADB if is_mariadb else LEAST_MYSQL
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:3])
    flavour = "MariaDB" if is_mariadb else "MySQL"
    is_enough = numbers >= least and "tidb" not in version.lower()
    detail = f"{flavour} {version} ({comment})"
    needed = ".".join(map(str, least))
    yield Finding(
        "ok" if is_enough else "bad",
        "version",
        detail if is_enough else f"{detail}; {needed} or later is needed",
    )


def _isolation(connection: Connection) -> Iterator[Finding]:
    level = connection.get_isolation_level()
    yield Finding(
        "ok" if level == "READ COMMITTED" else "bad", "isolation", f"{level} in Rowlock's sessions"
    )


def _durability(connection: Connection) -> Iterator[Finding]:
    wanted = {"innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1"}
    for name, value in wanted.items():
        found = _variable(connection, name)
        if name == "sync_binlog" and _variable(connection, "log_bin") in ("0", "OFF"):
            yield Finding("note", name, f"{found}, but there is no binary log to sync")
        elif found != value:
            yield Finding(
                "bad",
                name,
                f"is {found}: a task acknowledged with 201 may be lost in a crash; set it to 1",
                f"SET {'GLOBAL' if _is_mariadb(connection) else 'PERSIST'} {name} = {value};",
            )
        else:
            yield Finding("ok", name, found)


def _clock(connection: Connection) -> Iterator[Finding]:
    theirs = connection.exec_driver_sql("SELECT UTC_TIMESTAMP(6)").scalar_one()
    ours = datetime.now(UTC).replace(tzinfo=None)
    apart = abs((theirs - ours).total_seconds())
    yield Finding(
        "ok" if apart < CLOCK_TOLERANCE_SECONDS else "note",
        "clock",
        f"{apart:.3f} s from this machine's clock; Rowlock uses MySQL's",
    )


def _schema(connection: Connection) -> Iterator[Finding]:
    found = revisions.revision_in(connection)
    if revisions.is_fit(found):
        yield Finding("ok", "schema", f"revision {found}")
    else:
        has = "no schema" if found is None else f"revision {found}, not {revisions.head()}"
        yield Finding("bad", "schema", f"{has}: run `rowlock migrate`", "rowlock migrate")


def _explain(connection: Connection) -> Iterator[Finding]:
    row = (
        connection.exec_driver_sql(
            f"EXPLAIN FORMAT=TRADITIONAL {CLAIM}", ("default", 0, BEGINNING, "default", 1)
        )
        .mappings()
        .all()[0]
    )
    shown = f"key {row['key']}, {row['Extra']}"
    is_good = row["key"] == "ix_tasks_claim" and "filesort" not in (row["Extra"] or "")
    yield Finding("ok" if is_good else "bad", "claim", shown)


def _sweeps(connection: Connection) -> Iterator[Finding]:
    sweeps = [
        SweepFigure(sweep, runs, moved, float(age))
        for sweep, runs, moved, age in connection.exec_driver_sql(SWEEPS)
    ]
    state = scheduler_state(sweeps)
    if state == "ok":
        yield Finding("ok", "scheduler", state)
    else:
        detail = f"{state}; without it, no task times out or is retried"
        yield Finding("note", "scheduler", detail, "rowlock scheduler")
    for sweep in sweeps:
        if sweep.audited is not None and sweep.moved:
            detail = (
                f"{sweep.moved:,} had to be set right: rows were changed by SQL, or an older "
                "version runs; once that is known, count anew"
            )
            fix = f"UPDATE sweep_reports SET moved = 0 WHERE sweep = '{sweep.sweep}';"
            yield Finding("note", sweep.audited, detail, fix)


def _variable(connection: Connection, name: str) -> str:
    row: Any = connection.exec_driver_sql(f"SHOW GLOBAL VARIABLES LIKE '{name}'").one_or_none()
    return "unknown" if row is None else str(row[1])


def _is_mariadb(connection: Connection) -> bool:
    return bool(getattr(connection.dialect, "is_mariadb", False))


@contextmanager
def _engine(settings: Settings, patience_seconds: float | None = None) -> Iterator[Engine]:
    engine = sync_engine(settings, patience_seconds=patience_seconds)
    try:
        yield engine
    finally:
        engine.dispose()
