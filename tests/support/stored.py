"""What a test finds in the tables, beside the service."""

from typing import Any

from sqlalchemy import Engine, select

from app.mysql.schema import Deployment, Model, Process, SkipLockedProof, UniqueKeyLock, Worker

Rows = dict[str, list[tuple[Any, ...]]]
# What processes write of themselves, or at a time of their own.
_OWN = {
    table.__tablename__ for table in (SkipLockedProof, UniqueKeyLock, Process, Deployment, Worker)
}


def everything_stored(engine: Engine) -> Rows:
    """Every row that a call may have left, so that two looks can be compared."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Model.metadata.sorted_tables
            if table.name not in _OWN
        }
