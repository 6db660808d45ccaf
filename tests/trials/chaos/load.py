"""What runs while things fail: two APIs, three schedulers, workers of every character, clients."""

import asyncio
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from app.local.ports import free_port
from app.mysql.engines import sync_engine
from app.service.auditing import AUDITS
from app.service.resources import Resources
from app.service.sweeping import recount
from app.settings import Settings
from tests.trials.chaos import limits, schedules, successors, unique_keys
from tests.trials.chaos.checks import SHOWN, Check, Evidence, checks
from tests.trials.chaos.clients import Client, Ledger
from tests.trials.chaos.limits import Limits
from tests.trials.chaos.parts import Process
from tests.trials.chaos.queue_settings import QueueSettings
from tests.trials.chaos.unique_keys import UniqueKeys

CLIENTS: Final = 4
CHARACTERS: Final = ("well", "well", "well", "slow", "crashing", "silent", "twice", "late")
PATIENT: Final = ("patient", "patient")
SETTLE_SECONDS: Final = 90.0
# Of what is left nothing may stay as it is for longer: an attempt has six seconds, a lease five.
STUCK_SECONDS: Final = 30.0


class Load:
    """Everything of ours, on servers that are there already."""

    def __init__(
        self, home: Path, seed: int, settings: Settings, of_apis: Sequence[Settings] = ()
    ) -> None:
        """`of_apis`: how each API reaches MySQL and Redis, if otherwise than all else does."""
        self._home = home
        self._settings = settings
        environment = environment_of(settings)
        ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.apis = [
            Process(
                f"api-{port}",
                ["app", "serve", "--port", str(port)],
                environment_of(its_own),
                home,
            )
            for port, its_own in zip(ports, of_apis or (settings, settings), strict=True)
        ]
        self.schedulers = [
            Process(f"scheduler-{n}", ["app", "scheduler"], environment, home) for n in range(3)
        ]
        workers = [
            Process(
                name := f"worker-{n}-{kind}",
                ["tests.trials.chaos.workers", kind, name, str(home / "notes"), *self.urls],
                environment,
                home,
            )
            for n, kind in enumerate((*CHARACTERS, *PATIENT))
        ]
        self.workers, self._patient = workers[: len(CHARACTERS)], workers[len(CHARACTERS) :]
        self.ledger = Ledger()
        self._queue_settings = QueueSettings(seed, self.urls)
        engine = sync_engine(settings)
        self._unique_keys = [UniqueKeys(n, seed, self.urls, engine) for n in range(2)]
        self._limits = Limits(seed, self.urls, engine)
        self._clients: list[Client | Limits | QueueSettings | UniqueKeys] = [
            *(Client(n, seed, self.urls, self.ledger) for n in range(CLIENTS)),
            self._queue_settings,
            *self._unique_keys,
            self._limits,
        ]

    def start(self) -> None:
        for process in (*self.apis, *self.schedulers, *self.workers, *self._patient):
            process.start()
        time.sleep(2)
        schedules.begin(self.urls[0])
        self._limits.begin()
        for client in self._clients:
            client.start()

    def stop(self) -> list[Check]:
        """The clients leave, what is left comes to its end, all stop in order; the checks."""
        for client in self._clients:
            client.stopping.set()
        for client in self._clients:
            client.join(60)
        schedules.end(self.urls[0])
        # From now on nobody misbehaves: what is left has to come to its end.
        for worker in self.workers:
            if not worker.name.endswith("well"):
                worker.kill()
        left, stuck = self._settle()
        for process in (*self.workers, *self._patient, *self.apis, *self.schedulers):
            process.stop(15)
        self._report()
        wrong = asyncio.run(recount(self._settings))
        repaired = asyncio.run(self._audit())
        return [
            *self._check(repaired),
            Check("everything comes to its end", 1, left),
            Check(f"nothing stays as it is for longer than {STUCK_SECONDS:g} s", 1, stuck),
            Check("the figures of /stats and /tags are right", 1, [str(wrong)] if wrong else []),
        ]

    def kill(self) -> None:
        for process in (*self.workers, *self._patient, *self.apis, *self.schedulers):
            process.kill()

    def _settle(self) -> tuple[list[str], list[str]]:
        """What has not ended in the end, and what has stood still for too long on its way."""
        engine = sync_engine(self._settings)
        until = time.monotonic() + SETTLE_SECONDS
        since: dict[tuple[int, str, int], float] = {}
        stuck: set[str] = set()
        statement = text(
            "SELECT id, status, attempt FROM tasks "
            "WHERE status NOT IN ('done', 'failed', 'cancelled')"
        )
        # The patient ones have two workers, which do one after the other, and of the limited ones
        # few may run: some wait their turn.
        in_line = text(
            "SELECT id FROM tasks WHERE queue = 'patient' AND status = 'to_do' "
            "OR queue LIKE 'limited-%' AND status IN ('to_do', 'retrying')"
        )
        while True:
            with engine.connect() as connection:
                now = time.monotonic()
                waiting = set(connection.execute(in_line).scalars())  # first: they go on
                since = {
                    (row.id, row.status, row.attempt): since.get(tuple(row), now)
                    for row in connection.execute(statement)
                }
            stuck |= {
                f"task {task_id} stayed {status} in attempt {attempt}"
                for (task_id, status, attempt), began in since.items()
                if now - began > STUCK_SECONDS and task_id not in waiting
            }
            if not since or now > until:
                left = Counter(status for _, status, _ in since)
                return [f"{n} tasks are still {s}" for s, n in left.items()], sorted(stuck)
            time.sleep(0.2)

    def _check(self, repaired: int) -> list[Check]:
        notes = [json.loads(line) for line in (self._home / "notes").read_text().splitlines()]
        with sync_engine(self._settings).connect() as connection:
            evidence = Evidence(connection, self.ledger, notes)
            scheduled = schedules.checked(connection)
            keys = unique_keys.checked(self._unique_keys, connection)
            limited = limits.checked(self._limits, connection, repaired)
        statuses = Counter(task.status for task in evidence.tasks.values())
        outcomes = Counter(a.outcome for rows in evidence.attempts.values() for a in rows)
        finishes: Counter[Any] = Counter(
            note["status"] for note in notes if note["ending"] != "claim"
        )
        print(f"tasks: {dict(statuses)}; attempts that ended otherwise: {dict(outcomes)}")
        print(f"answers to finishes: {dict(finishes)}")
        print(f"reads of one's own write: {self.ledger.reads_after_write:,}")
        return [
            *checks(evidence),
            successors.checked(evidence),
            scheduled,
            keys,
            *limited,
            self._queue_settings.check(),
        ]

    async def _audit(self) -> int:
        """How much of what stands beside the tasks had to be set right."""
        resources = Resources(self._settings)
        try:
            return sum([await audit(resources) for audit in AUDITS.values()])
        finally:
            await resources.close()

    def _report(self) -> None:
        ordered = sorted(self.ledger.latencies_ms)
        shown = {
            f"p{percent}": f"{ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]:.0f} ms"
            for percent in (50, 95, 99)
        }
        print(f"clients' calls: {len(ordered):,}, {dict(self.ledger.answers)}")
        print(f"their latency, faults and all: {shown}, at most {ordered[-1]:.0f} ms")


def environment_of(settings: Settings) -> dict[str, str]:
    """Of a process that serves with these."""
    assert settings.redis_url is not None
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
        "ROWLOCK_DATABASE_URL": settings.database_url,
        "ROWLOCK_DATABASE_TIMEOUT_SECONDS": str(settings.database_timeout_seconds),
        "ROWLOCK_REDIS_URL": settings.redis_url,
        "ROWLOCK_SWEEP_INTERVAL_SECONDS": "0.5",
        "ROWLOCK_LOG_LEVEL": "warning",
    }


def conclude(found: list[Check], seed: int, home: Path) -> int:
    """Print what was looked at; 0 if all of it held, and else the logs stay."""
    print()
    for check in found:
        held = check.looked_at and not check.broken
        print(f"{'✓' if held else '✗'} {check.promise} ({check.looked_at:,})")
        for broken in check.broken[:SHOWN]:
            print(f"    {broken}")
    # What was never looked at has not been shown.
    has_held = all(check.looked_at and not check.broken for check in found)
    print(f"\n{'All promises held' if has_held else 'NOT ALL HELD'}: seed {seed}.")
    if has_held:
        shutil.rmtree(home, ignore_errors=True)
    else:
        print(f"The logs are in {home}.")
    return 0 if has_held else 1
