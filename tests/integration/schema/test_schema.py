"""The schema: made and taken away by migrations, the same as the models, in any database."""

from sqlalchemy import Engine, text

from app.mysql import migration, revisions
from app.mysql.schema import Model
from app.settings import Settings
from tests.conftest import serving
from tests.drift import drift
from tests.support.calls import claim_one, complete, get, submit

TABLES = {table.name for table in Model.metadata.sorted_tables}


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SHOW TABLES")).scalars())


def test_migrations_make_every_table_and_take_every_one_away(
    fresh: Settings, fresh_engine: Engine
) -> None:
    for _ in range(2):
        migration.upgrade(fresh)
        assert tables(fresh_engine) == TABLES | {"alembic_version"}
        with fresh_engine.connect() as connection:
            assert revisions.revision_in(connection) == revisions.head()
        migration.downgrade(fresh)
        assert tables(fresh_engine) == {"alembic_version"}
        with fresh_engine.connect() as connection:
            assert revisions.revision_in(connection) is None


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(
    fresh: Settings, fresh_engine: Engine
) -> None:
    migration.upgrade(fresh)
    with fresh_engine.begin() as connection:
        connection.execute(
            text("INSERT INTO paused_queues (queue, paused_at) VALUES ('mail', '2030-01-01')")
        )
    migration.upgrade(fresh)

    with fresh_engine.connect() as connection:
        queues = connection.execute(text("SELECT queue FROM paused_queues")).scalars()
        assert list(queues) == ["mail"]


def test_models_and_migrations_make_the_same_tables_to_the_letter(fresh: Settings) -> None:
    assert drift(fresh.database_url) == []


def test_text_is_stored_as_unicode_whatever_the_databases_default(
    fresh: Settings, fresh_engine: Engine
) -> None:
    migration.upgrade(fresh)
    with fresh_engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT character_set_name, COUNT(*) FROM information_schema.columns "
                "WHERE table_schema = DATABASE() AND character_set_name IS NOT NULL "
                "AND table_name <> 'alembic_version' GROUP BY character_set_name"
            )
        )
        assert {row[0] for row in rows} == {"utf8mb4", "ascii"}
        for column, collation in (("name", "utf8mb4_bin"), ("queue", "ascii_bin")):
            found = connection.execute(
                text(
                    "SELECT DISTINCT collation_name FROM information_schema.columns "
                    "WHERE table_schema = DATABASE() AND column_name = :column"
                ),
                {"column": column},
            ).scalars()
            assert list(found) == [collation]


async def test_every_character_comes_back_from_a_database_whose_default_is_latin1(
    fresh: Settings,
) -> None:
    migration.upgrade(fresh)
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
