"""Load that means harm, one way after another, and an honest caller all the while: `make siege`.

    python -m tests.siege [--seconds 10] [ATTACK …]

One `rowlock serve` on a MySQL and a Valkey of its own, with the settings as they are by default.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from app import migrations
from app.local.child import Child
from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.settings import Settings
from tests.siege.attacks import ATTACKS, CLIENT, TASKS_OF_250_KB, WORKER
from tests.siege.honest import Honest, Served

MOST_MB = 300.0
READY_SECONDS = 30.0
QUIET_SECONDS = 3.0
# Answers that no attack may get.
BROKEN = ("500", "502", "504")


class Outcome(NamedTuple):
    """One attack, over."""

    name: str
    callers: int
    peak_mb: float
    served: Served
    said: Mapping[str, Any]

    @property
    def broken(self) -> list[str]:
        """What did not hold."""
        found = []
        if self.peak_mb >= MOST_MB:
            found.append(f"{self.peak_mb:.0f} MB")
        if self.served.refused:
            found.append(f"honest calls: {dict(self.served.refused)}")
        if not self.served.latencies_ms:
            found.append("no honest call was answered")
        if self.said.get("connected", 0) < self.callers:
            found.append(f"only {self.said.get('connected', 0)} callers came: no siege")
        answers = self.said.get("answers", {})
        if wrong := {status: n for status, n in answers.items() if status in BROKEN}:
            found.append(f"answers: {wrong}")
        if self.said.get("without_retry_after"):
            found.append(f"{self.said['without_retry_after']} answers without Retry-After")
        return found

    def row(self) -> str:
        answers = ", ".join(f"{n:,} × {s}" for s, n in sorted(self.said.get("answers", {}).items()))
        honest = self.served
        return (
            f"{'✗' if self.broken else '✓'} {self.name:18} {self.peak_mb:4.0f} MB  "
            f"honest {len(honest.latencies_ms):5,}: p50 {honest.percentile(50):5.0f}, "
            f"p99 {honest.percentile(99):5.0f}, most {honest.percentile(100):5.0f} ms  "
            f"{answers or 'no answer'}; {self.said.get('closed', 0):,} closed"
        )


class Siege:
    """One server, and all that is sent to it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._mysql = MySQLServer(home / "mysql")
        self._valkey = ValkeyServer(home / "valkey")
        self._mysql.start()
        self._valkey.start()
        migrations.upgrade(Settings(database_url=self._mysql.url, redis_url=self._valkey.url))
        self._port = free_port()
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
            "ROWLOCK_DATABASE_URL": self._mysql.url,
            "ROWLOCK_REDIS_URL": self._valkey.url,
            "ROWLOCK_CLIENT_TOKENS": CLIENT,
            "ROWLOCK_WORKER_TOKENS": WORKER,
            "ROWLOCK_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "app", "serve", "--port", str(self._port)]
        self._server = Child("serve", command, log=home / "serve.log", environment=environment)
        url = f"http://127.0.0.1:{self._port}"
        self._client = {"Authorization": f"Bearer {CLIENT}"}
        self._http = httpx.Client(base_url=url, headers=self._client, timeout=60)
        self._honest = Honest(url, self._client, {"Authorization": f"Bearer {WORKER}"})

    def run(self, names: list[str], seconds: float) -> list[Outcome]:
        """Each attack in turn, for so many seconds."""
        until = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > until:
                raise LocalError(f"serve is not ready.{self._server.last_words()}")
            time.sleep(0.1)
        self._honest.start()
        outcomes = [self._quiet(), *(self._attack(name, seconds) for name in names)]
        self._honest.stopping.set()
        self._honest.join(30)
        return outcomes

    def close(self) -> None:
        self._server.kill()
        self._valkey.kill()
        self._mysql.kill()

    def _quiet(self) -> Outcome:
        time.sleep(1)
        self._begin()
        time.sleep(QUIET_SECONDS)
        return self._end("nobody", 0, {})

    def _attack(self, name: str, seconds: float) -> Outcome:
        attack = ATTACKS[name]
        tasks = self._fill() if attack.needs_tasks else []
        self._begin()
        log = self._home / f"{name}.log"
        command = [sys.executable, "-m", "tests.siege.attacker"]
        attacker = Child(
            name, [*command, name, str(self._port), str(seconds), *map(str, tasks)], log=log
        )
        attacker.wait(seconds + 60)
        said = log.read_text().splitlines()
        if not said or not said[-1].startswith("{"):
            raise LocalError(f"{name} did not say what came of it.{attacker.last_words()}")
        return self._end(name, attack.callers, json.loads(said[-1]))

    def _fill(self) -> list[int]:
        """Large tasks; their ids."""
        ids: list[int] = []
        task = {"title": "t", "queue": "large", "payload": "x" * 250_000}
        for _ in range(TASKS_OF_250_KB // 8):
            answer = self._http.post("/tasks/batch", json={"tasks": [task] * 8})
            ids += [made["id"] for made in answer.raise_for_status().json()]
        return ids

    def _begin(self) -> None:
        Path(f"/proc/{self._server.pid}/clear_refs").write_text("5")  # the peak is now
        self._honest.served()

    def _end(self, name: str, callers: int, said: Mapping[str, Any]) -> Outcome:
        if self._server.exit_code() is not None:
            raise LocalError(f"serve {self._server.how_it_ended()} under {name}")
        outcome = Outcome(name, callers, self._peak_mb(), self._honest.served(), said)
        print(outcome.row(), flush=True)
        for broken in outcome.broken:
            print(f"    {broken}", flush=True)
        return outcome

    def _peak_mb(self) -> float:
        for line in Path(f"/proc/{self._server.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise LocalError("serve has gone")

    def _is_ready(self) -> bool:
        try:
            return self._http.get("/readyz").is_success
        except httpx.TransportError:
            return False


def main() -> int:
    """Whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.siege", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    parser.add_argument("attack", nargs="*", help=f"of {', '.join(ATTACKS)}")
    options = parser.parse_args()
    names = options.attack or list(ATTACKS)
    if unknown := set(names) - ATTACKS.keys():
        parser.error(f"no such attack: {', '.join(sorted(unknown))}")
    for name in names:
        print(f"{name:18} {ATTACKS[name].callers:6,} callers {ATTACKS[name].does}")
    print(flush=True)
    home = Path(tempfile.mkdtemp(prefix="rowlock-siege-"))
    siege = Siege(home)
    try:
        outcomes = siege.run(names, options.seconds)
    finally:
        siege.close()
    has_held = not any(outcome.broken for outcome in outcomes)
    print(f"\n{'All held.' if has_held else f'NOT ALL HELD. The logs are in {home}.'}")
    if has_held:
        shutil.rmtree(home, ignore_errors=True)
    return 0 if has_held else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:
        sys.exit(f"siege: {error}")
