"""What the model is held against: two API processes and a scheduler on the real servers, and
the time, which is moved."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence, Set
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import redis
from sqlalchemy import Engine, text

from app.processes.application import create_app
from app.service import sweeping
from app.service.resources import Resources
from app.settings import Settings
from tests.conftest import calling, empty
from tests.model.moments import Between, Moment, bounds
from tests.model.tally import Tally
from tests.model.tasks import RETENTION_DAYS
from tests.support.elapse import elapse, elapse_in_redis, mysql_now, serve_all_along
from tests.support.redis_book import known_leases, remember_for

T = TypeVar("T")

PROCESSES = (0, 1)
# Processes carry MySQL's clock on by themselves, and so does the world.
CLOCK_SLACK = timedelta(seconds=0.03)
# No call takes as long: what comes within it is made to pass before.
SOON = timedelta(seconds=5)
TICK_SECONDS = 20
REDIS_AGE_SECONDS = 3600


class World:
    """Fresh processes, empty tables, an empty Redis."""

    def __init__(
        self, runner: asyncio.Runner, settings: Settings, engine: Engine, tally: Tally
    ) -> None:
        self._runner = runner
        self._engine = engine
        self.tally = tally
        tally.examples += 1
        # The last calls, for whoever has to find out what went wrong.
        self.trail: deque[str] = deque(maxlen=100)
        self._stack = AsyncExitStack()
        # A machine that stands still for a while must not look like servers that are away: what
        # holds then is another matter.
        patience = {"database_timeout_seconds": 60.0, "redis_timeout_seconds": 60.0}
        settings = settings.model_copy(update={**patience, "retention_days": RETENTION_DAYS})
        apps = [create_app(settings) for _ in PROCESSES]
        self._apis = [self.run(self._stack.enter_async_context(calling(app))) for app in apps]
        self._of_processes: list[Resources] = [app.state.services.resources for app in apps]
        self._scheduler = Resources(settings)
        self._settings = settings
        assert settings.redis_url is not None
        self.redis = redis.Redis.from_url(settings.redis_url)
        self._clock = self._clock_of(engine)
        self.remembers_since = self.now - timedelta(seconds=REDIS_AGE_SECONDS)
        remember_for(self.redis, REDIS_AGE_SECONDS)
        serve_all_along(engine)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self.run(self._scheduler.close())
        self.redis.flushall()
        self.redis.close()
        empty(self._engine)

    @property
    def now(self) -> datetime:
        """MySQL's time, carried on."""
        read, at = self._clock
        return read + timedelta(seconds=time.monotonic() - at)

    def since(self, began: datetime) -> Between:
        """When something happened that began then and has ended now."""
        return Between(began - CLOCK_SLACK, self.now + CLOCK_SLACK)

    def call(self, process: int, method: str, path: str, **rest: Any) -> httpx.Response:
        """Ask one of the API processes."""
        answer = self.run(self._apis[process].request(method, path, **rest))
        self._note(process, answer)
        return answer

    def get_all(self, process: int, paths: Iterable[str]) -> Sequence[httpx.Response]:
        """Many at once."""

        async def get_all() -> Sequence[httpx.Response]:
            return await asyncio.gather(*(self._apis[process].get(path) for path in paths))

        answers = self.run(get_all())
        for answer in answers:
            self._note(process, answer)
        return answers

    def sweep(self, name: str) -> int:
        """What the scheduler calls."""

        async def sweep() -> int:
            return await sweeping.SWEEPS[name](self._scheduler)

        self.trail.append(f"{self.now} sweep {name}")
        return self.run(sweep())

    def recount(self) -> dict[str, int]:
        """By how much each counter was wrong."""
        return self.run(sweeping.recount(self._settings))

    def create_at(self, task_id: int, at: datetime) -> None:
        """As if the task's transaction had begun then, and were committed only now."""
        with self._engine.begin() as connection:
            for table, time_of, id_of in (
                ("tasks", "created_at", "id"),
                ("task_tags", "task_created_at", "task_id"),
            ):
                statement = f"UPDATE {table} SET {time_of} = :at WHERE {id_of} = :id"
                connection.execute(text(statement), {"at": at, "id": task_id})
        self.redis.hincrby("rowlock:cache", "lists", 1)

    def key_holders(self) -> list[int]:
        """The tasks that hold a unique key."""
        with self._engine.connect() as connection:
            held = connection.execute(text("SELECT task_id FROM unique_keys ORDER BY task_id"))
            return list(held.scalars())

    def leases(self) -> Set[str]:
        """Those that Redis knows."""
        return known_leases(self.redis).keys()

    def elapse(self, seconds: float) -> None:
        """So much time passes."""
        self.trail.append(f"{self.now} {seconds} s pass")
        elapse(self._engine, seconds)
        elapse_in_redis(self.redis, seconds)
        self.rest()

    def hear(self) -> None:
        """The second passes after which each process has heard of new settings."""
        for resources in self._of_processes:
            resources.database._clock.forget()

    def rest(self) -> None:
        """The second passes for which a process remembers where its queues begin."""
        for resources in self._of_processes:
            resources.claims.marks.forget_all()

    def is_close(self, moments: Sequence[Moment]) -> bool:
        """Whether one of the moments may come while a call is under way. Those that come within
        the processes' own clocks' error are waited for."""
        while close := [
            until
            for since, until in map(bounds, moments)
            if since <= self.now + SOON and until >= self.now - CLOCK_SLACK
        ]:
            if max(close) > self.now + CLOCK_SLACK:
                return True
            time.sleep(CLOCK_SLACK.total_seconds())
        return False

    @staticmethod
    def _clock_of(engine: Engine) -> tuple[datetime, float]:
        """Read until an answer comes at once: only that says what time it is."""
        for _ in range(100):
            asked = time.monotonic()
            read = mysql_now(engine)
            if time.monotonic() - asked < CLOCK_SLACK.total_seconds() / 2:
                break
        return read, asked

    def _note(self, process: int, answer: httpx.Response) -> None:
        asked, status = answer.request, answer.status_code
        route = re.sub(r"(/[0-9]|(?<=/schedules)/)[^/]*", "/…", asked.url.path)
        self.tally.counts[f"{asked.method} {route} {status}"] += 1
        path, body = asked.url.raw_path.decode(), asked.content.decode()
        self.trail.append(f"{self.now} {process} {asked.method} {path} {body} {status}")
        assert answer.status_code < 500, answer.text
