"""What a test finds in the tables, beside the service."""

from typing import Any

from sqlalchemy import Engine, select

from app.models import Model, SkipLockedProof

Rows = dict[str, list[tuple[Any, ...]]]


def everything_stored(engine: Engine) -> Rows:
    """Every row of every table, so that two looks can be compared."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Model.metadata.sorted_tables
            if table.name != SkipLockedProof.__tablename__
        }
