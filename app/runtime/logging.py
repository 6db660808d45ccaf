"""Logs: one JSON object a line, or a line for people, each with its request's id.

Whatever callers have put into it stays in its line, and can do nothing to a terminal.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final

import structlog

from rowlock.printable import harmless, harmless_json, harmless_lines

# A path may be as long as a request's head: it shall not fill the disk.
LONGEST_VALUE: Final = 1000
Event = MutableMapping[str, Any]

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)


def configure_logging(level_name: str, log_format: str) -> None:
    """Everything that is logged in this process goes to stderr in one form."""
    level = logging.getLevelNamesMapping()[level_name.upper()]
    shared: list[structlog.typing.Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain: a frame's local variables may hold tokens.
    last: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, _shortened]
    if log_format == "json":
        last += [structlog.processors.JSONRenderer(ensure_ascii=False), _harmless_json]
    else:
        last += [_harmless, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))
    # A run that is left out because the one before still runs is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("aiomysql").setLevel(logging.ERROR)


def _add_request_id(_logger: Any, _method: str, event: Event) -> Event:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event["request_id"] = request_id
    return event


def _shortened(_logger: Any, _method: str, event: Event) -> Event:
    for name, value in event.items():
        if isinstance(value, str) and len(value) > LONGEST_VALUE and name != "exception":
            event[name] = f"{value[:LONGEST_VALUE]}…"
    return event


def _harmless(_logger: Any, _method: str, event: Event) -> Event:
    for name, value in event.items():
        if isinstance(value, str):  # all else is shown by its repr
            is_long = name == "exception"
            event[name] = f"    {harmless_lines(value)}" if is_long else harmless(value)
    return event


def _harmless_json(_logger: Any, _method: str, line: Any) -> str:
    return harmless_json(line)
