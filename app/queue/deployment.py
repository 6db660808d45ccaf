"""Which deployment this is."""

from app.domain.errors import UnfitServerError
from app.mysql.connection import Connection


async def name(connection: Connection) -> str:
    """What tells this database from another one whose platform uses the same Redis. Raises
    `UnfitServerError`."""
    rows = await connection.fetch("SELECT name FROM deployment WHERE id = 1")
    if not rows:
        raise UnfitServerError(
            reason="The table `deployment` has no row with this database's name."
        )
    return str(rows[0][0])
