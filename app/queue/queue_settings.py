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
from app.domain.slots import Limits
from app.mysql.connection import CLOCK_CARRIED_SECONDS, Connection

# The version that a process knows may have been read just before the commit.
IN_FORCE_AFTER: Final = timedelta(seconds=CLOCK_CARRIED_SECONDS + 0.25)
_KNOWN: Final = "queue settings"

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
    """Replace what was set; limits of single groups stay. Tasks that are there get other limits
    from when on each process goes by them."""
    await _count_version(connection)
    before = (await read_settings(connection, queue=queue)).settings.limits
    if before.has_overrides:
        settings = _with_overrides(settings)
    return await _write(connection, queue, settings, before)


async def note_overrides(connection: Connection, *, queue: str) -> None:
    """Some of the queue's groups have limits of their own from now on, and for good: its tasks
    need slots of their groups. Where that is known nothing is locked."""
    if (await read_settings(connection, queue=queue)).settings.limits.has_overrides:
        return
    await _count_version(connection)
    settings = (await read_settings(connection, queue=queue)).settings
    await _write(connection, queue, _with_overrides(settings), settings.limits)


async def adopt_anew(connection: Connection, *, queue: str) -> None:
    """Its tasks are looked at once more: some have slots that are too many by now."""
    await connection.execute(
        "UPDATE queue_settings SET adopts_from = UTC_TIMESTAMP(6) WHERE queue = %s", (queue,)
    )


async def _count_version(connection: Connection) -> None:
    """The version first: whoever changes another queue's settings is waited for here, so that the
    time is the commit's. It begins with the time, for a table that was emptied begins anew."""
    await connection.execute(
        "INSERT INTO settings_version (id, version) "
        "VALUES (1, TIMESTAMPDIFF(MICROSECOND, '2000-01-01', UTC_TIMESTAMP(6))) "
        "ON DUPLICATE KEY UPDATE version = version + 1"
    )


def _with_overrides(settings: QueueSettings) -> QueueSettings:
    return settings._replace(limits=settings.limits._replace(has_overrides=True))


async def _write(
    connection: Connection, queue: str, settings: QueueSettings, before: Limits
) -> StoredSettings:
    now, text = await connection.now(), settings_text(settings)
    in_force_at = now + IN_FORCE_AFTER
    adopts_from = in_force_at if settings.limits != before else None
    await connection.execute(
        "INSERT INTO queue_settings (queue, settings, updated_at, adopts_from) "
        "VALUES (%s, %s, %s, %s) ON DUPLICATE KEY UPDATE settings = %s, updated_at = %s, "
        "adopts_from = COALESCE(%s, adopts_from)",
        (queue, text, now, adopts_from, text, now, adopts_from),
    )
    return StoredSettings(settings, in_force_at)


class _Known(NamedTuple):
    """What one process knows of all queues' settings, and of which version that is."""

    version: int | None
    by_queue: Mapping[str, QueueSettings]


async def current(connection: Connection) -> Mapping[str, QueueSettings]:
    """What this process knows of all queues' settings, as of the connection's time; one that is
    missing has the defaults."""
    version = connection.settings_version
    known: _Known | None = connection.remembered.get(_KNOWN)
    if known is None or known.version != version:
        # No version says that none was ever set.
        statement = "SELECT queue, settings FROM queue_settings"
        rows = () if version is None else await connection.fetch(statement)
        # What was read is at least as new as the version.
        known = _Known(version, {queue: understood(queue, text) for queue, text in rows})
        connection.remembered[_KNOWN] = known
    return known.by_queue


def understood(queue: str, text: str) -> QueueSettings:
    """What is set for a queue, as the table has it; the defaults where that makes no sense."""
    try:
        return settings_of(text)
    except ValueError as error:
        # Written by hand. Whoever claims from the queue cannot help it.
        log.warning("queue_settings_not_understood", queue=queue, reason=str(error))
        return DEFAULTS
