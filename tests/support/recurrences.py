"""Recurrences for tests, and the moment they were made."""

from datetime import datetime
from typing import Any

from app.domain.recurrence import Recurrence

AT = datetime.fromisoformat
NOW = AT("2026-11-29T12:00:00.25")


def of(**fields: Any) -> Recurrence:
    """A recurrence of these fields and no others; made at NOW."""
    given: dict[str, Any] = {"cron": None, "interval_seconds": None, "timezone": "UTC"}
    given |= {"starts_at": None, "ends_at": None, "created_at": NOW}
    return Recurrence.of(**(given | fields))
