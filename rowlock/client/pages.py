"""Lists that come in pages, walked through to their end; once blocking and once with asyncio."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from rowlock.client.calls import Page
from rowlock.http.call import Call

T = TypeVar("T")


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
