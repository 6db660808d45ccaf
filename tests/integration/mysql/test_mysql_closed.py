"""A MySQL that lets us in no more, or takes nothing from us: away, whatever it says; and there
again without a restart."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine, exc, make_url, text

from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import problem, submit

ACCOUNT = "locked_out"
# What is done to the account, and what makes it good again.
CLOSED = {
    "account locked": ("ALTER USER {} ACCOUNT LOCK", "ALTER USER {} ACCOUNT UNLOCK"),
    "password expired": ("ALTER USER {} PASSWORD EXPIRE", "ALTER USER {} IDENTIFIED BY 'x'"),
    "TLS demanded": ("ALTER USER {} REQUIRE X509", "ALTER USER {} REQUIRE NONE"),
    "password changed": ("ALTER USER {} IDENTIFIED BY 'y'", "ALTER USER {} IDENTIFIED BY 'x'"),
    "rights taken": ("REVOKE ALL ON {database}.* FROM {}", "GRANT ALL ON {database}.* TO {}"),
    "writing forbidden": (
        "REVOKE INSERT, UPDATE, DELETE ON {database}.* FROM {}",
        "GRANT ALL ON {database}.* TO {}",
    ),
}


@pytest.fixture
def account(settings: Settings, engine: Engine) -> Iterator[Settings]:
    """An account of the service's own."""
    url = make_url(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE USER {ACCOUNT}@'127.0.0.1' IDENTIFIED BY 'x'"))
        connection.execute(text(f"GRANT ALL ON {url.database}.* TO {ACCOUNT}@'127.0.0.1'"))
    own = url.set(username=ACCOUNT, password="x").render_as_string(hide_password=False)
    given = {"database_url": own, "redis_url": None, "database_timeout_seconds": 2.0}
    yield Settings(**settings.model_dump() | given)
    with engine.begin() as connection:
        connection.execute(text(f"DROP USER {ACCOUNT}@'127.0.0.1'"))


def change(engine: Engine, statement: str) -> None:
    """To the account, and to whoever is connected by it."""
    database = engine.url.database
    statement = statement.format(f"{ACCOUNT}@'127.0.0.1'", database=database)
    with engine.begin() as connection:
        try:
            connection.execute(text(statement))
        except exc.DBAPIError:
            pytest.skip(f"this server has no such thing: {statement}")
        connected = connection.execute(
            text("SELECT id FROM information_schema.processlist WHERE user = :user"),
            {"user": ACCOUNT},
        ).scalars()
        for number in connected:
            connection.execute(text(f"KILL {number}"))


@pytest.mark.parametrize("what", CLOSED)
async def test_it_is_away_and_then_there_again(
    account: Settings, engine: Engine, what: str
) -> None:
    close, open_again = CLOSED[what]
    async with serving(account) as api:
        task = await submit(api)
        change(engine, close)
        await every_write_is_refused(api, task["id"])
        if what != "writing forbidden":
            answer = await api.get("/readyz")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["parts"]["mysql"] != "ok"
            problem(await api.get(f"/tasks/{task['id']}"), 503)
            problem(await api.get("/tasks"), 503)
        change(engine, open_again)
        await submit(api)
        assert (await api.get("/readyz")).status_code == 200


async def every_write_is_refused(api: httpx.AsyncClient, task_id: int) -> None:
    for answer in (
        await api.post("/tasks", json={"title": "t"}),
        await api.patch(f"/tasks/{task_id}", json={"title": "x"}),
        await api.post("/leases", json={"worker": "w"}),
        await api.post("/leases/finish", json={"items": [], "claim": {"worker": "w"}}),
        await api.post(f"/admin/tasks/{task_id}/cancel"),
        await api.post("/admin/queues/q/pause"),
        await api.delete(f"/tasks/{task_id}"),
    ):
        assert problem(answer, 503).title == "Database away"
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_table_that_is_gone_makes_it_away(account: Settings, engine: Engine) -> None:
    async with serving(account) as api:
        with engine.begin() as connection:
            connection.execute(text("RENAME TABLE paused_queues TO dropped"))
        try:
            problem(await api.post("/admin/queues/q/pause"), 503)
        finally:
            with engine.begin() as connection:
                connection.execute(text("RENAME TABLE dropped TO paused_queues"))
        assert (await api.post("/admin/queues/q/pause")).status_code == 200
