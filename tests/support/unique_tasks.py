"""Submissions with unique keys, and who holds one."""

from typing import Any, Final

import httpx
from sqlalchemy import Engine, text

from tests.support.calls import Document, submit

KEY: Final = {"key": "customer-17"}
ACTIVE: Final = KEY | {"while": "active"}


async def send(api: httpx.AsyncClient, unique: Document = KEY, **fields: Any) -> httpx.Response:
    return await api.post("/tasks", json={"title": "sync", "unique": unique} | fields)


async def stored(api: httpx.AsyncClient, unique: Document = KEY, **fields: Any) -> Document:
    """A task that did not find the key held."""
    return await submit(api, title="sync", unique=unique, **fields)


def held_by(engine: Engine) -> list[int]:
    """The tasks that hold a key, by the table of keys."""
    with engine.connect() as connection:
        return [*connection.execute(text("SELECT task_id FROM unique_keys ORDER BY 1")).scalars()]
