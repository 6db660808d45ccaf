"""Writes that another process was quicker with: once more, and they see what it has done."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pymysql import err

from app.domain.errors import RowBusyError, TagMissingError
from app.mysql.error_codes import error_code
from app.queue.tags import Tags

T = TypeVar("T")

# Whatever comes between, it does not do so again and again.
TRIES: Final = 5
DUPLICATE_KEY: Final = 1062
MISSING_PARENT: Final = 1452


async def or_again(tags: Tags, write: Callable[[], Awaitable[T]]) -> T:
    """Again where another process was quicker with a key, or where a tag is missing, which is made
    then. One that was remembered may be gone: nobody used it, or MySQL is another one, or was
    restored."""
    for _ in range(TRIES):
        try:
            return await write()
        except TagMissingError as error:
            tags.forget()
            await tags.ensure(error.names)
        except err.IntegrityError as error:
            if error_code(error) == MISSING_PARENT:
                tags.forget()
            elif error_code(error) != DUPLICATE_KEY:
                raise
    raise RowBusyError
