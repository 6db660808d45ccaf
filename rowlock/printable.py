"""Text that can do nothing to a terminal or a log: a title, a path, an error may be anybody's."""

import json
import logging


def harmless(text: str) -> str:
    """On one line: control characters, and those that turn a line round, as their escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def harmless_lines(text: str) -> str:
    """The same for several lines. All but the first are indented, so that none of them looks
    like the beginning of something else."""
    return "\n    ".join(map(harmless, text.split("\n")))


def harmless_json(text: str) -> str:
    """The same JSON, on one line, in characters that can be shown."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


class HarmlessLines(logging.Formatter):
    """What is logged begins a line; what a task or a traceback brings into it does not."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless_lines(super().format(record))
