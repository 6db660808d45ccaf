"""What goes out: a call as an HTTP request to a server."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from rowlock.http.agent import user_agent
from rowlock.http.answer import NotAnsweredError
from rowlock.http.call import Call
from rowlock.http.target import Target

_JSON: Final = {"Content-Type": "application/json"}


class Request(NamedTuple):
    """`target` is the path with the query, `url` the whole, as messages show it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None
    url: str

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {self.url!r})"


def request_of(call: Call[Any], target: Target) -> Request:
    """The call, sent to this server."""
    path = target.url.path + call.path
    if call.query:
        path += "?" + urlencode(call.query, quote_via=quote)
    headers = {"User-Agent": user_agent(), **target.headers(call.method, call.path), **call.headers}
    if call.body is not None:
        headers |= _JSON
    url = f"{target.url.scheme}://{target.url.authority}{path}"
    return Request(call.method, path, headers, call.body, url)


def not_answered(
    request: Request, target: Target, error: BaseException, *, may_have_arrived: bool
) -> NotAnsweredError:
    """That there was no answer, by what a library raised."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        said = "no answer in time" if may_have_arrived else "no connection in time"
    by = "" if target.proxy is None else f" (by the proxy {target.proxy})"
    return NotAnsweredError(
        f"{request.method} {request.url}{by}: {said}", may_have_arrived=may_have_arrived
    )
