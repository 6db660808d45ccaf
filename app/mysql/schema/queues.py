"""What is set for a queue."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.dialects.mysql import TEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.mysql.schema.columns import CHARSET, Model, Moment, QueueName


class PausedQueue(Model):
    """A queue that hands out nothing. A queue without a row runs."""

    __tablename__ = "paused_queues"

    queue: Mapped[str] = mapped_column(QueueName, primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__: Any = (CHARSET,)


class QueueSettings(Model):
    """What a queue has been given, a JSON object by the setting's name. A queue without a row
    has the defaults."""

    __tablename__ = "queue_settings"

    queue: Mapped[str] = mapped_column(QueueName, primary_key=True)
    settings: Mapped[str] = mapped_column(TEXT)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    # From then on tasks that were there before their limits are to get them.
    adopts_from: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__: Any = (Index("ix_queue_settings_adopts_from", "adopts_from"), CHARSET)


class SettingsVersion(Model):
    """What changes whenever settings of queues do: what each process looks at to read them anew.
    No row says never."""

    __tablename__ = "settings_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)

    __table_args__: Any = (CHARSET,)
