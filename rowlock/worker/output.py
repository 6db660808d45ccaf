"""What a command or a web service says, as a task's result."""

from typing import Any, Final

from pydantic_core import from_json

from rowlock.encoding import JSON_LIMIT_BYTES, encode

_CUT: Final = " … [cut]"


def result_of(output: bytes, *, is_whole: bool = True) -> Any:
    """JSON if it is, else text; None for nothing. What is longer than the server keeps of a
    result is text, cut, with a mark at its end."""
    if is_whole:
        if not output.strip():
            return None
        try:
            value = from_json(output, allow_inf_nan=False)
            if len(encode(value)) <= JSON_LIMIT_BYTES:
                return value
        except ValueError:
            pass
    text = text_of(output).rstrip("\n")
    if is_whole and len(encode(text)) <= JSON_LIMIT_BYTES:
        return text
    # A character may take six bytes as JSON, so the length is looked for.
    fits, too_long = 0, len(text) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if len(encode(text[:middle] + _CUT)) <= JSON_LIMIT_BYTES:
            fits = middle
        else:
            too_long = middle
    return text[:fits] + _CUT


def text_of(output: bytes) -> str:
    """As text that the server takes: what is no UTF-8 is replaced, NUL is written out."""
    return output.decode(errors="replace").replace("\0", "\\0")
