"""What tables are made of: types, collations, the names of indexes and CHECKs."""

from typing import Final

from sqlalchemy import MetaData
from sqlalchemy.dialects.mysql import CHAR, DATETIME, VARCHAR
from sqlalchemy.orm import DeclarativeBase

# Said on every table: a server's own default may be latin1.
CHARSET: Final = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}

Moment = DATETIME(fsp=6)
QueueName = VARCHAR(64, charset="ascii", collation="ascii_bin")
# Of a kind that grows: to lengthen an ENUM, or a CHECK that lists names, copies the table.
Name = VARCHAR(16, charset="ascii", collation="ascii_bin")
# 16 random bytes in hexadecimal: readable in a console, and no binary parameter, which
# aiomysql cannot escape with PyMySQL 1.2.3 and later (aio-libs/aiomysql #1080).
Token = CHAR(32, charset="ascii", collation="ascii_bin")
Key = VARCHAR(128, charset="utf8mb4", collation="utf8mb4_bin")


class Model(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
