"""The schema: made and taken away by migrations, the same as the models, in any database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from alembic import command
from app import migrations
from app.models import Model
from app.settings import Settings
from tests.calls import claim_one, complete, get, submit
from tests.conftest import serving
from tests.drift import drift

DATABASE = "rowlock_schema_test"
TABLES = {table.name for table in Model.metadata.sorted_tables}


@pytest.fixture
def fresh(settings: Settings, engine: Engine) -> Iterator[Settings]:
    """An empty database of the test's own, whose defaults are an old server's."""
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {DATABASE}"))
        connection.execute(
            text(f"CREATE DATABASE {DATABASE} CHARACTER SET latin1 COLLATE latin1_swedish_ci")
        )
    url = make_url(settings.database_url).set(database=DATABASE)
    yield Settings(database_url=url.render_as_string(hide_password=False), log_level="error")
    with engine.begin() as connection:
        connection.execute(text(f"DROP DATABASE {DATABASE}"))


@pytest.fixture
def fresh_engine(fresh: Settings) -> Iterator[Engine]:
    engine = create_engine(fresh.sync_url)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SHOW TABLES")).scalars())


def test_migrations_make_every_table_and_take_every_one_away(
    fresh: Settings, fresh_engine: Engine
) -> None:
    for _ in range(2):
        migrations.upgrade(fresh)
        assert tables(fresh_engine) == TABLES | {"alembic_version"}
        with fresh_engine.connect() as connection:
            assert migrations.revision_in(connection) == migrations.head()
        migrations.downgrade(fresh)
        assert tables(fresh_engine) == {"alembic_version"}
        with fresh_engine.connect() as connection:
            assert migrations.revision_in(connection) is None


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(
    fresh: Settings, fresh_engine: Engine
) -> None:
    migrations.upgrade(fresh)
    with fresh_engine.begin() as connection:
        connection.execute(
            text("INSERT INTO paused_queues (queue, paused_at) VALUES ('mail', '2030-01-01')")
        )
    migrations.upgrade(fresh)

    with fresh_engine.connect() as connection:
        queues = connection.execute(text("SELECT queue FROM paused_queues")).scalars()
        assert list(queues) == ["mail"]


def test_models_and_migrations_make_the_same_tables_to_the_letter(fresh: Settings) -> None:
    assert drift(fresh.database_url) == []


def test_text_is_stored_as_unicode_whatever_the_databases_default(
    fresh: Settings, fresh_engine: Engine
) -> None:
    migrations.upgrade(fresh)
    with fresh_engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT character_set_name, COUNT(*) FROM information_schema.columns "
                "WHERE table_schema = :database AND character_set_name IS NOT NULL "
                "AND table_name <> 'alembic_version' GROUP BY character_set_name"
            ),
            {"database": DATABASE},
        )
        assert {row[0] for row in rows} == {"utf8mb4", "ascii"}
        for column, collation in (("name", "utf8mb4_bin"), ("queue", "ascii_bin")):
            found = connection.execute(
                text(
                    "SELECT DISTINCT collation_name FROM information_schema.columns "
                    "WHERE table_schema = :database AND column_name = :column"
                ),
                {"database": DATABASE, "column": column},
            ).scalars()
            assert list(found) == [collation]


async def test_every_character_comes_back_from_a_database_whose_default_is_latin1(
    fresh: Settings,
) -> None:
    migrations.upgrade(fresh)
    words = "核心 😀 ñ \U0001f469\u200d\U0001f4bb"
    async with serving(fresh) as api:
        task = await submit(
            api, title=words, description=words, payload={words: words}, tags=[words], priority="高"
        )
        await complete(api, await claim_one(api, worker=words), words)
        found = await get(api, task["id"])

        shown = (found["title"], found["description"], found["worker"], found["result"])
        assert set(shown) == {words}
        assert found["payload"] == {words: words}
        assert found["tags"] == [words]
        assert found["priority"] == "高"
        (listed,) = (await api.get("/tasks", params={"tag": words, "title": "😀"})).json()
        assert listed["id"] == task["id"]


async def test_an_upgrade_takes_over_the_tasks_there_are(
    fresh: Settings, fresh_engine: Engine
) -> None:
    command.upgrade(migrations.config_for(fresh), "0001")
    with fresh_engine.begin() as connection:
        for number, status in enumerate(("to_do", "to_do", "paused"), 1):
            connection.execute(
                text(
                    "INSERT INTO tasks (id, title, status, priority, queue, timeout_seconds, "
                    "retry_limit, retry_delay_seconds, retry_backoff, current_retry_count, "
                    "created_at, updated_at, attempt, claim_rank, due_date) VALUES (:id, 't', "
                    ":status, '中', 'default', 300, 3, 5, 'fixed', 0, :at, :at, 0, "
                    "IF(:status = 'to_do', 1, NULL), '2026-02-03 04:05:06')"
                ),
                {"id": number, "status": status, "at": f"2026-01-0{number} 00:00:00.123456"},
            )
        connection.execute(text("INSERT INTO tags (id, name) VALUES (1, 'a'), (2, 'unused')"))
        connection.execute(text("INSERT INTO task_tags (task_id, tag_id) VALUES (1, 1), (3, 1)"))

    for _ in range(2):  # the second time as after an interruption
        with fresh_engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        migrations.upgrade(fresh)

    async with serving(fresh) as api:
        (queue,) = (await api.get("/stats")).json()["queues"]
        assert (queue["waiting"], queue["tasks"]["paused"]["中"]) == (2, 1)
        assert (await api.get("/tags")).json() == [
            {"name": "a", "tasks": 2},
            {"name": "unused", "tasks": 0},
        ]
        for query in ("tag=a", "tag=a&due_after=2026-02-03T00:00:00Z&due_before=2026-02-04T00:00Z"):
            answer = await api.get(f"/tasks?{query}")
            assert [task["id"] for task in answer.json()] == [3, 1]
