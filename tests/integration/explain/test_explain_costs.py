"""`GET /tasks/cost`: what it says is read is what MySQL reads, within bounds. On 100,000 tasks."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, text

from app.domain.errors import SearchTooSlowError
from app.domain.states import Status
from app.mysql.database import Database
from app.queue.lists.costs import Cost, cost_of
from app.queue.lists.filters import TaskFilter
from app.queue.lists.pages import OrderBy, Page, Position
from tests.integration.explain.test_explain_lists import TASKS, cases, now, the_list  # noqa: F401
from tests.support.explaining import Statement, explain, rows_read

PAGE = Page(50)
FOUND_ALONG = ("tasks", "leader")
NOWHERE = "no such title"


async def cost(database: Database, wanted: TaskFilter, page: Page = PAGE) -> Cost:
    ask = partial(cost_of, wanted=wanted, page=page, timeout_seconds=0.2)
    return await database.read_at_length(ask)


def entries_read(connection: Connection, statement: Statement, wanted: TaskFilter) -> float:
    """Of the index that leads: each is looked up in the tasks, and in each other tag."""
    along_a_tag = "leader" in statement.text
    lookups = 1 + along_a_tag + max(len(wanted.tags) - along_a_tag, 0)
    return rows_read(connection, statement) / lookups


async def test_it_names_the_index_that_the_list_goes_along(
    now: datetime,  # noqa: F811
    database: Database,
    connection: Connection,
) -> None:
    for wanted in cases(now):
        said = await cost(database, wanted)
        statements = await the_list(database, wanted, PAGE)
        assert (said.along is None) == (not statements), wanted
        for statement in statements:
            if wanted.ids:
                continue  # as few as there are ids: the server may take what it likes
            for plan in explain(connection, statement):
                if plan.table in FOUND_ALONG and plan.access != "eq_ref":
                    assert plan.key == said.along, (wanted, plan)


@pytest.mark.parametrize("title", [None, NOWHERE])
async def test_no_more_is_read_than_it_says(
    now: datetime,  # noqa: F811
    database: Database,
    connection: Connection,
    title: str | None,
) -> None:
    middle = Position(now - timedelta(minutes=TASKS // 2), TASKS // 2)
    for wanted in cases(now):
        if wanted.ids:
            continue
        search = wanted._replace(title=title)
        for page in (PAGE, PAGE._replace(after=middle)):
            said = await cost(database, search, page)
            assert 0 <= said.rows_at_least <= said.rows_at_most <= TASKS, search
            for statement in await the_list(database, search, page):
                read = entries_read(connection, statement, search)
                # InnoDB says half of what it knows of at most, which may be two thirds of all; and
                # a page of streams is put together in between.
                assert read <= 3 * said.rows_at_most + 5 * PAGE.limit, (search, page, said)
            by_due = wanted.due_after or wanted.due_before  # which the index itself leaves out
            if title is not None and page.after is None and not by_due:
                # All are looked at. What it says is all there are, or of the right size, though
                # not for sure: what was deleted lately is estimated, too.
                most = max(4 * read + PAGE.limit, TASKS * (not said.is_estimate))
                assert said.rows_at_most <= most, (search, said, read)


@pytest.mark.parametrize("is_ascending", [False, True])
async def test_what_is_delayed_is_estimated(
    now: datetime,  # noqa: F811
    database: Database,
    is_ascending: bool,
) -> None:
    page = PAGE._replace(order_by=OrderBy.AVAILABLE_AT, is_ascending=is_ascending)
    for wanted in (TaskFilter(), TaskFilter(status=(Status.TO_DO,), title=NOWHERE)):
        said = await cost(database, wanted, page)
        assert said.along == "ix_tasks_sweep"
        assert said.is_estimate
        assert said.rows_at_most <= 2


async def test_it_waits_for_mysql_no_longer_than_a_list_does(
    now: datetime,  # noqa: F811
    database: Database,
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLES tasks WRITE"))
        try:
            with pytest.raises(SearchTooSlowError):
                await cost(database, TaskFilter(ids=(1,)))
        finally:
            connection.execute(text("UNLOCK TABLES"))
