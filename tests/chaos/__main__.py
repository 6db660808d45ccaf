"""Everything fails, again and again, and the promises hold: `make chaos`.

    python -m tests.chaos [--minutes 5] [--seed N]

Two APIs, two schedulers, workers of every character and clients run on one MySQL and one Valkey,
while any of them is killed or stopped at random. Afterwards all is counted up.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from app import migrations
from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.service.sweeping import recount
from app.settings import Settings
from tests.chaos.checks import SHOWN, Check, Evidence, checks
from tests.chaos.clients import Client, Ledger
from tests.chaos.faults import Faults
from tests.chaos.parts import Part, Process, Server

CLIENTS = 4
CHARACTERS = ("well", "well", "well", "slow", "crashing", "silent", "twice", "late")
SETTLE_SECONDS = 90.0


class Chaos:
    """One run."""

    def __init__(self, home: Path, seed: int) -> None:
        self._home = home
        self._seed = seed
        self._began = time.monotonic()
        mysql = MySQLServer(home / "mysql", port=free_port())
        valkey = ValkeyServer(home / "valkey", port=free_port())
        self._servers = [Server("MySQL", mysql), Server("Valkey", valkey)]
        for server in self._servers:
            server.start()
        self._settings = Settings(database_url=mysql.url, redis_url=valkey.url)
        migrations.upgrade(self._settings)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
            "ROWLOCK_DATABASE_URL": mysql.url,
            "ROWLOCK_REDIS_URL": valkey.url,
            "ROWLOCK_SWEEP_INTERVAL_SECONDS": "0.5",
            "ROWLOCK_LOG_LEVEL": "warning",
        }
        ports = [free_port(), free_port()]
        self._urls = [f"http://127.0.0.1:{port}" for port in ports]
        self._apis = [
            Process(f"api-{port}", ["app", "serve", "--port", str(port)], environment, home)
            for port in ports
        ]
        self._schedulers = [
            Process(f"scheduler-{n}", ["app", "scheduler"], environment, home) for n in range(2)
        ]
        self._workers = [
            Process(
                name := f"worker-{n}-{kind}",
                ["tests.chaos.workers", kind, name, str(home / "notes"), *self._urls],
                environment,
                home,
            )
            for n, kind in enumerate(CHARACTERS)
        ]
        self._ledger = Ledger()
        self._clients = [Client(n, seed, self._urls, self._ledger) for n in range(CLIENTS)]

    def run(self, seconds: float) -> list[Check]:
        """The checks, after so many seconds of faults."""
        for process in (*self._apis, *self._schedulers, *self._workers):
            process.start()
        time.sleep(2)
        for client in self._clients:
            client.start()
        parts: dict[str, list[Part]] = {
            "API": [*self._apis],
            "scheduler": [*self._schedulers],
            "worker": [*self._workers],
            "MySQL": [self._servers[0]],
            "Valkey": [self._servers[1]],
        }
        faults = Faults(parts, self._seed, self._say)
        faults.run(seconds)
        for client in self._clients:
            client.stopping.set()
        for client in self._clients:
            client.join(60)
        # From now on nobody misbehaves: what is left has to come to its end.
        for worker in self._workers:
            if not worker.name.endswith("well"):
                worker.kill()
        left = self._settle()
        for process in (*self._workers, *self._apis, *self._schedulers):
            process.stop(15)
        self._report(faults.done)
        found = [*self._check(), Check("everything comes to its end", 1, left)]
        found.append(Check("no part but the crashing worker ends by itself", 1, faults.fallen))
        return [*found, self._counters()]

    def close(self) -> None:
        for process in (*self._workers, *self._apis, *self._schedulers):
            process.kill()
        for server in self._servers:
            server.kill()

    def _settle(self) -> list[str]:
        engine = create_engine(self._settings.sync_url)
        until = time.monotonic() + SETTLE_SECONDS
        statement = text(
            "SELECT status, COUNT(*) FROM tasks "
            "WHERE status NOT IN ('done', 'failed', 'cancelled') GROUP BY status"
        )
        while True:
            with engine.connect() as connection:
                left = [f"{n} tasks are still {s}" for s, n in connection.execute(statement)]
            if not left or time.monotonic() > until:
                engine.dispose()
                return left
            time.sleep(0.2)

    def _check(self) -> list[Check]:
        engine = create_engine(self._settings.sync_url)
        notes = [json.loads(line) for line in (self._home / "notes").read_text().splitlines()]
        with engine.connect() as connection:
            evidence = Evidence(connection, self._ledger, notes)
        engine.dispose()
        statuses = Counter(task.status for task in evidence.tasks.values())
        outcomes = Counter(a.outcome for rows in evidence.attempts.values() for a in rows)
        finishes: Counter[Any] = Counter(
            note["status"] for note in notes if note["ending"] != "claim"
        )
        print(f"tasks: {dict(statuses)}; attempts that ended otherwise: {dict(outcomes)}")
        print(f"answers to finishes: {dict(finishes)}")
        return list(checks(evidence))

    def _counters(self) -> Check:
        wrong = asyncio.run(recount(self._settings))
        return Check("the figures of /stats and /tags are right", 1, [str(wrong)] if wrong else [])

    def _report(self, done: Counter[str]) -> None:
        ordered = sorted(self._ledger.latencies_ms)
        shown = {
            f"p{percent}": f"{ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]:.0f} ms"
            for percent in (50, 95, 99)
        }
        print(f"\nfaults: {dict(sorted(done.items()))}")
        print(f"clients' calls: {len(ordered):,}, {dict(self._ledger.answers)}")
        print(f"their latency, faults and all: {shown}, at most {ordered[-1]:.0f} ms")

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)


def main() -> int:
    """Whether every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    home = Path(tempfile.mkdtemp(prefix="rowlock-chaos-"))
    chaos = Chaos(home, options.seed)
    try:
        found = chaos.run(60 * options.minutes)
    finally:
        chaos.close()
    print()
    for check in found:
        held = check.looked_at and not check.broken
        print(f"{'✓' if held else '✗'} {check.promise} ({check.looked_at:,})")
        for broken in check.broken[:SHOWN]:
            print(f"    {broken}")
    # What was never looked at has not been shown.
    has_held = all(check.looked_at and not check.broken for check in found)
    print(f"\n{'All promises held' if has_held else 'NOT ALL HELD'}: seed {options.seed}.")
    if has_held:
        shutil.rmtree(home, ignore_errors=True)
    else:
        print(f"The logs are in {home}.")
    return 0 if has_held else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:
        sys.exit(f"chaos: {error}")
