"""What a change of a table may cost, on servers that know more or fewer ways."""

import pytest
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from app.mysql.ddl import COPY, IN_PLACE, INSTANT, possible


@pytest.mark.parametrize(
    ("is_mariadb", "version", "instant"),
    [
        (False, (8, 0, 1), IN_PLACE),
        (False, (8, 0, 28), IN_PLACE),
        (False, (8, 0, 29), INSTANT),
        (False, (9, 7, 4), INSTANT),
        (True, (10, 6, 0), INSTANT),
    ],
)
def test_what_is_not_instant_yet_is_made_beside_those_who_read_and_write(
    is_mariadb: bool, version: tuple[int, ...], instant: str
) -> None:
    dialect = MySQLDialect_pymysql(is_mariadb=is_mariadb)
    dialect.server_version_info = version

    assert possible(INSTANT, dialect) == instant
    assert [possible(how, dialect) for how in (IN_PLACE, COPY)] == [IN_PLACE, COPY]
