"""Deleting rows by a list of their keys, without waiting for anybody else's rows.

`DELETE … WHERE id IN (…)` becomes a scan where the table is small, or the statistics say so, and
a scan waits at every row that another transaction holds. A single-table DELETE takes no index
hint; joined to the list, each row is found by its primary key, whatever the statistics say.
"""

from collections.abc import Sequence
from typing import Final

from app.mysql.connection import Connection

# Some hundred SELECTs in one UNION are parsed in no time.
CHUNK: Final = 200


async def delete_by_key(
    connection: Connection, *, table: str, key: str, values: Sequence[int | str], only: str = "TRUE"
) -> int:
    """Delete the rows of those primary keys, in their order, of which `only` is true; how many
    there were."""
    deleted = 0
    for begin in range(0, len(values), CHUNK):
        chunk = values[begin : begin + CHUNK]
        # In quotes: to MariaDB `DELETE HISTORY` is a statement of another kind.
        selects = [f"SELECT %s AS {key}", *["SELECT %s"] * (len(chunk) - 1)]
        result = await connection.execute(
            f"DELETE `{table}` FROM ({' UNION ALL '.join(selects)}) AS chosen "
            f"STRAIGHT_JOIN {table} FORCE INDEX (PRIMARY) ON {table}.{key} = chosen.{key} "
            f"WHERE {only}",
            chunk,
        )
        deleted += result.matched
    return deleted
