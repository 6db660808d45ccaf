"""Lists that come in pages, walked through to their end; once blocking and once with asyncio."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import TypeAdapter

from rowlock.http.answer import Answer
from rowlock.http.call import Call, Query

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some of a list's items, and the call for the next ones."""

    items: list[T]
    next: "Call[Page[T]] | None"


def page(path: str, read: Callable[[Answer], list[T]], query: Query = ()) -> Call[Page[T]]:
    """The first page of a list."""

    def read_page(answer: Answer) -> Page[T]:
        link = answer.next_page
        if link is None:
            return Page(read(answer), None)
        # Of the link only the query: a proxy may have put the server below a path of its own.
        following = tuple(parse_qsl(urlsplit(link).query, keep_blank_values=True))
        return Page(read(answer), page(path, read, following))

    return Call("GET", path, read_page, query)


def read_by(adapter: TypeAdapter[T]) -> Callable[[Answer], T]:
    """How an answer is read."""
    return lambda answer: adapter.validate_json(answer.body)


def walk(ask: Callable[[Call[Page[T]]], Page[T]], first: Call[Page[T]]) -> Iterator[T]:
    """All there is, fetched page by page as it is asked for."""
    following: Call[Page[T]] | None = first
    while following is not None:
        page = ask(following)
        yield from page.items
        following = page.next


async def walk_async(
    ask: Callable[[Call[Page[T]]], Awaitable[Page[T]]], first: Call[Page[T]]
) -> AsyncIterator[T]:
    """The same for asyncio."""
    following: Call[Page[T]] | None = first
    while following is not None:
        page = await ask(following)
        for item in page.items:
            yield item
        following = page.next
