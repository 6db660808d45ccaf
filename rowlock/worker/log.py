"""The worker's log."""

import logging
from collections.abc import MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class _SafeLogger(_Adapter):
    """A line that cannot be written is dropped.

    Tasks' handlers share the process: one that has closed the log's stream, or brings a filter
    that raises, must not break off what the worker was about to do after the line.
    """

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[object, MutableMapping[str, Any]]:
        # The adapter's own way would put its `extra` in the place of a line's.
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        with suppress(Exception):
            super().log(level, msg, *args, **kwargs | {"stacklevel": 2})


log = _SafeLogger(logging.getLogger("rowlock.worker"))
