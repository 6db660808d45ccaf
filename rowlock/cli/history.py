"""`rowlock history`: how the last minutes or days went."""

from collections.abc import Sequence
from typing import Any, Final

from rowlock.cli import options, render
from rowlock.cli.commands import Option, command
from rowlock.cli.connection import connected
from rowlock.cli.table import duration, show_table
from rowlock.cli.values import Number
from rowlock.models import HistoryBucket

_COLUMNS: Final = (
    *("begins at", "submitted", "started", "done", "failed", "retried"),
    *("wait p50", "wait p95", "run p50", "run p95", "ended"),
)
# In a narrow terminal these are left out, the first of them first.
_DROPPABLE: Final = ("ended", "run p50", "wait p50", "retried", "started", "run p95", "wait p95")
_BAR: Final = 12


@command(
    "history",
    "Management",
    Option("--queue", "-q", about="Only this queue; by default all together."),
    Option(
        "--minutes",
        kind=Number(int, 1, 20_160, label="MINUTES"),
        default=60,
        about="How far back: up to an hour by minutes, up to 14 days by hours.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def history(
    *, queue: str | None, minutes: int, as_json: bool, url: str | None, token: str | None
) -> None:
    """Show what was submitted, started and ended, and how long tasks waited and ran."""
    with connected(url, token) as client:
        found = client.history(queue, minutes=minutes)
    if as_json:
        render.show_json(found)
        return
    show_table(_COLUMNS, _rows(found.buckets), droppable=_DROPPABLE)


def _rows(buckets: Sequence[HistoryBucket]) -> list[tuple[Any, ...]]:
    ended = [bucket.done + bucket.failed + bucket.retried for bucket in buckets]
    most = max(ended, default=0)
    return [
        (
            *(bucket.begins_at, bucket.submitted, bucket.started),
            *(bucket.done, bucket.failed, bucket.retried),
            *map(_time, (bucket.wait_p50, bucket.wait_p95, bucket.run_p50, bucket.run_p95)),
            "█" * -(-n * _BAR // most) if n else None,
        )
        for bucket, n in zip(buckets, ended, strict=True)
    ]


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    if seconds < 1:
        return f"{1000 * seconds:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)  # noqa: PLR2004
