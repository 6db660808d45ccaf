"""What runs while things fail: two APIs, two schedulers, workers of every character, clients."""

import asyncio
import json
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from app.engines import sync_engine
from app.local.ports import free_port
from app.service.sweeping import recount
from app.settings import Settings
from tests.chaos.checks import SHOWN, Check, Evidence, checks
from tests.chaos.clients import Client, Ledger
from tests.chaos.parts import Process

CLIENTS: Final = 4
CHARACTERS: Final = ("well", "well", "well", "slow", "crashing", "silent", "twice", "late")
SETTLE_SECONDS: Final = 90.0


class Load:
    """Everything of ours, on servers that are there already."""

    def __init__(self, home: Path, seed: int, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        assert settings.redis_url is not None
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
            "ROWLOCK_DATABASE_URL": settings.database_url,
            "ROWLOCK_REDIS_URL": settings.redis_url,
            "ROWLOCK_SWEEP_INTERVAL_SECONDS": "0.5",
            "ROWLOCK_LOG_LEVEL": "warning",
        }
        ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.apis = [
            Process(f"api-{port}", ["app", "serve", "--port", str(port)], environment, home)
            for port in ports
        ]
        self.schedulers = [
            Process(f"scheduler-{n}", ["app", "scheduler"], environment, home) for n in range(2)
        ]
        self.workers = [
            Process(
                name := f"worker-{n}-{kind}",
                ["tests.chaos.workers", kind, name, str(home / "notes"), *self.urls],
                environment,
                home,
            )
            for n, kind in enumerate(CHARACTERS)
        ]
        self._ledger = Ledger()
        self._clients = [Client(n, seed, self.urls, self._ledger) for n in range(CLIENTS)]

    def start(self) -> None:
        for process in (*self.apis, *self.schedulers, *self.workers):
            process.start()
        time.sleep(2)
        for client in self._clients:
            client.start()

    def stop(self) -> list[Check]:
        """The clients leave, what is left comes to its end, all stop in order; the checks."""
        for client in self._clients:
            client.stopping.set()
        for client in self._clients:
            client.join(60)
        # From now on nobody misbehaves: what is left has to come to its end.
        for worker in self.workers:
            if not worker.name.endswith("well"):
                worker.kill()
        left = self._settle()
        for process in (*self.workers, *self.apis, *self.schedulers):
            process.stop(15)
        self._report()
        wrong = asyncio.run(recount(self._settings))
        return [
            *self._check(),
            Check("everything comes to its end", 1, left),
            Check("the figures of /stats and /tags are right", 1, [str(wrong)] if wrong else []),
        ]

    def kill(self) -> None:
        for process in (*self.workers, *self.apis, *self.schedulers):
            process.kill()

    def _settle(self) -> list[str]:
        engine = sync_engine(self._settings)
        until = time.monotonic() + SETTLE_SECONDS
        statement = text(
            "SELECT status, COUNT(*) FROM tasks "
            "WHERE status NOT IN ('done', 'failed', 'cancelled') GROUP BY status"
        )
        while True:
            with engine.connect() as connection:
                left = [f"{n} tasks are still {s}" for s, n in connection.execute(statement)]
            if not left or time.monotonic() > until:
                return left
            time.sleep(0.2)

    def _check(self) -> list[Check]:
        notes = [json.loads(line) for line in (self._home / "notes").read_text().splitlines()]
        with sync_engine(self._settings).connect() as connection:
            evidence = Evidence(connection, self._ledger, notes)
        statuses = Counter(task.status for task in evidence.tasks.values())
        outcomes = Counter(a.outcome for rows in evidence.attempts.values() for a in rows)
        finishes: Counter[Any] = Counter(
            note["status"] for note in notes if note["ending"] != "claim"
        )
        print(f"tasks: {dict(statuses)}; attempts that ended otherwise: {dict(outcomes)}")
        print(f"answers to finishes: {dict(finishes)}")
        return list(checks(evidence))

    def _report(self) -> None:
        ordered = sorted(self._ledger.latencies_ms)
        shown = {
            f"p{percent}": f"{ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]:.0f} ms"
            for percent in (50, 95, 99)
        }
        print(f"clients' calls: {len(ordered):,}, {dict(self._ledger.answers)}")
        print(f"their latency, faults and all: {shown}, at most {ordered[-1]:.0f} ms")


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
