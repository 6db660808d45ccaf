"""The CHECKs: what the database itself refuses, whoever writes it."""

from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Engine, exc, text
from sqlalchemy.orm import Session

from app.domain.states import Status
from app.mysql.error_codes import error_code
from app.mysql.schema import Task
from tests.support.factories import ScheduleFactory, TaskFactory

CHECK_VIOLATED = {3819, 4025}  # MySQL, MariaDB
NOW = "UTC_TIMESTAMP(6)"
TOKEN = f"'{'a' * 32}'"

# constraint: (state, change) that it alone refuses
VIOLATIONS: dict[str, list[tuple[str, str]]] = {
    "deadline_in_progress": [
        ("in_progress", "deadline_at = NULL"),
        ("to_do", f"deadline_at = {NOW}"),
        ("done", f"deadline_at = {NOW}"),
    ],
    "lease_in_progress": [
        ("in_progress", "lease_token = NULL"),
        ("cancelled", f"lease_token = {TOKEN}"),
    ],
    "source_in_progress": [
        ("in_progress", "claimed_from = NULL"),
        ("failed", "claimed_from = 'to_do'"),
    ],
    "lease_seconds": [("to_do", "lease_seconds = 30"), ("done", "lease_seconds = 30")],
    "completed_done": [
        ("done", "completed_at = NULL"),
        ("to_do", f"completed_at = {NOW}"),
        ("failed", f"completed_at = {NOW}"),
    ],
    "finished_done": [("done", "finish_token = NULL"), ("retrying", f"finish_token = {TOKEN}")],
    "rank_waiting": [
        ("paused", "claim_rank = 1"),
        ("in_progress", "claim_rank = 1"),
        ("done", "claim_rank = 1"),
        ("to_do", "claim_rank = 0"),
        ("to_do", "priority = '高'"),
        ("retrying", "claim_rank = 3"),
    ],
    "waiting_is_seen": [
        ("to_do", "claim_rank = NULL"),
        ("retrying", "claim_rank = NULL"),
        ("to_do", f"sweep_at = {NOW}"),
        ("retrying", f"sweep_at = {NOW}"),
    ],
    "sweep_has_cause": [
        ("in_progress", "sweep_at = NULL"),
        ("paused", f"sweep_at = {NOW}"),
        ("done", f"sweep_at = {NOW}"),
    ],
    "retries_within_limit": [
        ("to_do", "current_retry_count = 4"),
        ("to_do", "current_retry_count = -1"),
        ("retrying", "retry_limit = 0"),
    ],
}
SCHEDULE_VIOLATIONS = {
    "one_rhythm": ["cron = NULL", "interval_seconds = 60"],
    "paused_waits": [f"paused_at = {NOW}"],
}
CASES = [(name, *case) for name, cases in VIOLATIONS.items() for case in cases]


def a_task(status: str) -> Any:
    return TaskFactory(**({} if status == "to_do" else {status: True}))


def change(engine: Engine, assignment: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE tasks SET {assignment}"))


def checks_of(table: str) -> set[str]:
    constraints = Task.metadata.tables[table].constraints
    checks = [c for c in constraints if isinstance(c, CheckConstraint)]
    return {str(check.name).removeprefix(f"ck_{table}_") for check in checks}


def test_every_check_of_the_schema_is_tried_here() -> None:
    assert checks_of("tasks") == VIOLATIONS.keys()
    assert checks_of("schedules") == SCHEDULE_VIOLATIONS.keys()


@pytest.mark.parametrize(
    ("name", "assignment"),
    [(name, change) for name, changes in SCHEDULE_VIOLATIONS.items() for change in changes],
)
def test_a_schedule_that_breaks_a_rule_is_refused(
    session: Session, engine: Engine, name: str, assignment: str
) -> None:
    ScheduleFactory()
    with pytest.raises(exc.DBAPIError, match=f"ck_schedules_{name}"), engine.begin() as connection:
        connection.execute(text(f"UPDATE schedules SET {assignment}"))


@pytest.mark.parametrize(("name", "status", "assignment"), CASES)
def test_a_row_that_breaks_a_rule_is_refused(
    session: Session, engine: Engine, name: str, status: str, assignment: str
) -> None:
    a_task(status)
    with pytest.raises(exc.DBAPIError) as refused:
        change(engine, assignment)

    assert refused.value.orig is not None
    assert error_code(refused.value.orig) in CHECK_VIOLATED
    assert f"ck_tasks_{name}" in str(refused.value.orig)


@pytest.mark.parametrize("status", Status)
def test_no_status_can_be_written_without_what_belongs_to_it(
    session: Session, engine: Engine, status: Status
) -> None:
    a_task(status)
    for other in Status:
        fits = {status, other} <= {"paused", "failed", "cancelled"} or status == other
        fits = fits or {status, other} == {"to_do", "retrying"}
        if not fits:
            with pytest.raises(exc.DBAPIError):
                change(engine, f"status = '{other}'")


@pytest.mark.parametrize(
    "assignment",
    [
        "status = 'open'",
        "status = ''",
        "priority = 'high'",
        f"retry_backoff = '{'x' * 17}'",
        "title = NULL",
        "queue = '高'",
        f"title = '{'t' * 256}'",
        "due_date = '2030-02-30'",
        "due_date = '0000-00-00'",
    ],
)
async def test_the_services_sessions_let_mysql_bend_nothing(
    session: Session, engine: Engine, resources: Any, assignment: str
) -> None:
    a_task("to_do")
    with pytest.raises(Exception, match=r"^\(\d+, "):
        await resources.database.transact(lambda c: c.execute(f"UPDATE tasks SET {assignment}"))
