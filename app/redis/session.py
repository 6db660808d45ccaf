"""One connection to Redis. What is sent over it is done in the order in which it was sent, or,
when the connection ends, not at all."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, Connection, parse_url

from app.redis.calls import Words

Answer = asyncio.Future[list[Any]]


@dataclass(frozen=True, slots=True)
class _Sent:
    """Commands that belong together, and what Redis has answered of them so far."""

    answer: Answer
    expected: int
    sent_at: float
    answers: list[Any] = field(default_factory=list)

    def settle(self) -> None:
        if self.answer.done():  # nobody waits for it any more
            return
        error = next((a for a in self.answers if isinstance(a, Exception)), None)
        if error is None:
            self.answer.set_result(self.answers)
        else:
            self.answer.set_exception(error)


class Session:
    """A connection that is open. It ends by itself when Redis closes it."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._unsent: list[bytes] = []
        self._has_unsent = asyncio.Event()
        self._unanswered: deque[_Sent] = deque()
        self._is_over = False
        # How often something may have changed that Redis was not told of, and how much of that it
        # has been told since (`RedisLink`). At first there is no knowing.
        self.doubts = 1
        self.settled_doubts = 0
        # Is done when the connection has ended.
        self.life = asyncio.get_running_loop().create_task(self._live())

    @classmethod
    async def open(cls, url: str) -> "Session":
        """Connect, and show user and password. Raises `RedisError`."""
        options: dict[str, Any] = dict(parse_url(url))
        kind = options.pop("connection_class", Connection)
        # How long an answer is waited for is for the callers to say.
        connection = kind(**options, socket_timeout=None, driver_info=None)
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return cls(connection)

    @property
    def is_open(self) -> bool:
        return not self._is_over

    @property
    def silent_seconds(self) -> float:
        """For how long an answer has been waited for."""
        return time.monotonic() - self._unanswered[0].sent_at if self._unanswered else 0.0

    def send(self, commands: Sequence[Words]) -> Answer:
        """Have Redis do these commands after all that were sent before; what it answers to each.
        An error among the answers is raised. To cancel the answer takes back nothing."""
        answer: Answer = asyncio.get_running_loop().create_future()
        if self._is_over:
            answer.set_exception(exceptions.ConnectionError("the connection has ended"))
            return answer
        self._unanswered.append(_Sent(answer, len(commands), time.monotonic()))
        self._unsent += self._connection.pack_commands(commands)
        self._has_unsent.set()
        return answer

    async def close(self) -> None:
        """What is not answered yet will not be."""
        self.end()
        await asyncio.wait([self.life])

    def end(self) -> None:
        """The same, without waiting for the connection to be closed."""
        self._is_over = True
        self.life.cancel()

    async def _live(self) -> None:
        error: Exception = exceptions.ConnectionError("the connection was closed")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write())
                tasks.create_task(self._read())
        except* (exceptions.RedisError, OSError) as errors:
            error = errors.exceptions[0]
        finally:
            self._is_over = True
            for sent in self._unanswered:
                sent.answers.append(error)
                sent.settle()
            self._unanswered.clear()
            await self._connection.disconnect(nowait=True)

    async def _write(self) -> None:
        while True:
            await self._has_unsent.wait()
            self._has_unsent.clear()
            packed, self._unsent = self._unsent, []
            if not self._connection.is_connected:  # it would connect anew
                raise exceptions.ConnectionError("the connection was lost")
            await self._connection.send_packed_command(packed, check_health=False)

    async def _read(self) -> None:
        while True:
            try:
                answer = await self._connection.read_response()
            except exceptions.ResponseError as error:
                answer = error
            if not self._unanswered:
                raise exceptions.ConnectionError(f"unexpected message from Redis: {answer}")
            sent = self._unanswered[0]
            sent.answers.append(answer)
            if len(sent.answers) == sent.expected:
                self._unanswered.popleft()
                sent.settle()
