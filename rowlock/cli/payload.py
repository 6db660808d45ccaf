"""A payload on the command line: JSON, or a file or stdin that has it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from rowlock.cli.connection import fail
from rowlock.cli.exit_codes import USAGE


def fields_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a task's fields that were named, the payload decoded."""
    fields = {name: value for name, value in given.items() if value not in (None, [])}
    if "payload" in fields:
        fields["payload"] = payload_of(fields["payload"])
    return fields


def payload_of(text: str) -> Any:
    """What is none ends the command."""
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"--payload: {error}", USAGE)
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        fail(f"--payload is not JSON ({error}); put text in double quotes.", USAGE)
