"""Settings of queues: written with a new version, and known by it in every process.

The version comes with MySQL's time, which each process asks for at most once a second
(`app.mysql.connection`). So a process reads all settings anew soon after any of them has changed,
and never otherwise.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from app.domain.queue_settings import DEFAULTS, QueueSettings, settings_of, settings_text
from app.mysql.connection import CLOCK_CARRIED_SECONDS, Connection

# The version that a process knows may have been read just before the commit.
IN_FORCE_AFTER: Final = timedelta(seconds=CLOCK_CARRIED_SECONDS + 0.25)
_NEVER_READ: Final = -1

log = structlog.get_logger(__name__)


class StoredSettings(NamedTuple):
    """A queue's, and from when on every process goes by them; None: they were never set."""

    settings: QueueSettings
    in_force_at: datetime | None


async def read_settings(connection: Connection, *, queue: str) -> StoredSettings:
    """What was set last, in force or about to be."""
    rows = await connection.fetch(
        "SELECT settings, updated_at FROM queue_settings WHERE queue = %s", (queue,)
    )
    if not rows:
        return StoredSettings(DEFAULTS, None)
    ((text, updated_at),) = rows
    return StoredSettings(understood(queue, text), updated_at + IN_FORCE_AFTER)


async def write_settings(
    connection: Connection, *, queue: str, settings: QueueSettings
) -> StoredSettings:
    """Replace what was set."""
    # The version first: whoever changes another queue's settings is waited for here, so that the
    # time is the commit's. It begins with the time, for a table that was emptied begins anew.
    await connection.execute(
        "INSERT INTO settings_version (id, version) "
        "VALUES (1, TIMESTAMPDIFF(MICROSECOND, '2000-01-01', UTC_TIMESTAMP(6))) "
        "ON DUPLICATE KEY UPDATE version = version + 1"
    )
    now, text = await connection.now(), settings_text(settings)
    await connection.execute(
        "INSERT INTO queue_settings (queue, settings, updated_at) VALUES (%s, %s, %s) "
        "ON DUPLICATE KEY UPDATE settings = %s, updated_at = %s",
        (queue, text, now, text, now),
    )
    return StoredSettings(settings, now + IN_FORCE_AFTER)


class KnownSettings:
    """What one process knows of all queues' settings."""

    def __init__(self) -> None:
        self._version: int | None = _NEVER_READ
        self._by_queue: Mapping[str, QueueSettings] = {}

    async def current(self, connection: Connection) -> Mapping[str, QueueSettings]:
        """By queue, as of the connection's time; one that is missing has the defaults."""
        version = connection.settings_version
        if version != self._version:
            # No version says that none was ever set.
            statement = "SELECT queue, settings FROM queue_settings"
            rows = () if version is None else await connection.fetch(statement)
            self._by_queue = {queue: understood(queue, text) for queue, text in rows}
            # What was read is at least as new as that.
            self._version = version
        return self._by_queue

    def forget(self) -> None:
        """MySQL is another one than before."""
        self._version = _NEVER_READ


def understood(queue: str, text: str) -> QueueSettings:
    """What is set for a queue, as the table has it; the defaults where that makes no sense."""
    try:
        return settings_of(text)
    except ValueError as error:
        # Written by hand. Whoever claims from the queue cannot help it.
        log.warning("queue_settings_not_understood", queue=queue, reason=str(error))
        return DEFAULTS
