"""JSON out."""

import json
from typing import Any, Final, NoReturn

from pydantic_core import to_json

JSON_LIMIT_BYTES: Final = 256 * 1024


def encode(value: Any) -> bytes:
    """JSON of a value: of what JSON has, and of times, UUIDs, dataclasses, pydantic models.

    Raises `ValueError` for what JSON cannot say.
    """
    text = to_json(value, inf_nan_mode="constants")
    # The words may also stand in a string.
    if b"NaN" in text or b"Infinity" in text:
        json.loads(text, parse_constant=_refuse)
    return text


def encode_bounded(value: Any, what: str) -> bytes:
    """The same, of what the server keeps 256 KiB of. Raises `ValueError` beyond."""
    text = encode(value)
    if len(text) > JSON_LIMIT_BYTES:
        raise ValueError(f"{what} has {len(text):,} bytes of JSON; the limit is 256 KiB")
    return text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid in JSON")
