"""What comes back over HTTP: an answer, or none."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SUCCESS: Final = range(200, 300)
_NEXT: Final = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next\b')


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response that has been read to its end. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    @property
    def is_success(self) -> bool:
        return self.status in SUCCESS

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def next_page(self) -> str | None:
        """The URL that a `Link` header calls the next (RFC 8288)."""
        found = _NEXT.search(self.headers.get("link", ""))
        return found[1] if found else None

    def json(self) -> Any:
        """Raises `ValueError`, and `RecursionError` for what is nested too deeply."""
        return json.loads(self.body)


class NotAnsweredError(Exception):
    """There was no answer. `may_have_arrived`: the request may have been carried out."""

    def __init__(self, said: str, *, may_have_arrived: bool) -> None:
        super().__init__(said)
        self.may_have_arrived = may_have_arrived
