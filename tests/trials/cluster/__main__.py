"""The server that takes writes is lost, and another takes its place: `make test-cluster`.

    python -m tests.trials.cluster [--seed N]

Three MySQL servers in Group Replication, and on them the load of `make chaos`. The primary is
killed, and joins again once another one has been found; then that one. Then the third is hung,
and then the role is moved by hand. Afterwards all is counted up.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.mysql import migration
from app.settings import Settings
from tests.trials.chaos.checks import Check
from tests.trials.chaos.load import Load, conclude
from tests.trials.chaos.parts import Server, freeze, thaw
from tests.trials.cluster.group import Group

BACK_SECONDS: Final = 15.0
BETWEEN_SECONDS: Final = 8.0


class Failover:
    """One run."""

    def __init__(self, home: Path, seed: int) -> None:
        self._began = time.monotonic()
        self._group = Group(home)
        self._valkey = ValkeyServer(home / "valkey", port=free_port())
        try:
            self._valkey.start()
            self._group.start()
            self._say("three servers are one group")
            settings = Settings(database_url=self._group.url, redis_url=self._valkey.url)
            migration.upgrade(settings)
            self._load = Load(home, seed, settings)
        except BaseException:
            self._group.kill()
            self._valkey.kill()
            raise
        self._late: list[str] = []

    def run(self) -> list[Check]:
        """The checks, after the primary was lost in each way."""
        self._load.start()
        for lose in (self._kill, self._kill, self._hang, self._move):
            time.sleep(BETWEEN_SECONDS)
            lose(self._group.primary())
        time.sleep(BETWEEN_SECONDS)
        fallen = [p.name for p in (*self._load.apis, *self._load.schedulers) if not p.is_running]
        return [
            *self._load.stop(),
            Check(f"both APIs take tasks again within {BACK_SECONDS:g} s", 4, self._late),
            Check("no API and no scheduler ends by itself", 4, fallen),
        ]

    def close(self) -> None:
        self._load.kill()
        self._group.kill()
        self._valkey.kill()

    def _kill(self, primary: MySQLServer) -> None:
        self._lose("killed", primary, primary.kill)
        primary.start()
        self._group.join(primary)
        self._say(f"{primary.home.name} is in the group again")

    def _hang(self, primary: MySQLServer) -> None:
        part = Server(primary.home.name, primary)
        self._lose("hung", primary, lambda: freeze(part))
        thaw(part)
        self._group.wait_for(primary, is_in=False)
        self._group.wait_for(primary)
        self._say(f"{primary.home.name} is in the group again")

    def _move(self, primary: MySQLServer) -> None:
        others = [server for server in self._group.servers if server is not primary]
        self._lose("relieved by hand", primary, lambda: self._group.appoint(others[0]))

    def _lose(self, how: str, primary: MySQLServer, lose: Callable[[], object]) -> None:
        lost_at = time.monotonic()
        lose()
        self._say(f"{primary.home.name}, which took the writes, was {how}")
        for url in self._load.urls:
            seconds = self._until_taken(url, lost_at)
            self._say(f"{url} takes tasks {seconds:.1f} s after that")
            if seconds > BACK_SECONDS:
                self._late.append(f"{how}: {url} after {seconds:.1f} s")

    def _until_taken(self, url: str, since: float) -> float:
        while True:
            try:
                answer = httpx.post(f"{url}/tasks", json={"title": f"{url} {since}"}, timeout=15)
                if answer.status_code == 201:
                    return time.monotonic() - since
            except httpx.HTTPError:
                pass
            if time.monotonic() - since > 4 * BACK_SECONDS:
                return time.monotonic() - since
            time.sleep(0.1)

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)


def main() -> int:
    """Whether every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials.cluster", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    home = Path(tempfile.mkdtemp(prefix="rowlock-cluster-"))
    failover = Failover(home, options.seed)
    try:
        found = failover.run()
    finally:
        failover.close()
    return conclude(found, options.seed, home)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:
        sys.exit(f"cluster: {error}")
