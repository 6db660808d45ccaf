"""Everything fails, again and again, and the promises hold: `make chaos`.

    python -m tests.trials.chaos [--minutes 5] [--seed N]

Two APIs, three schedulers, workers of every character and clients run on one MySQL and one Valkey,
while any of them is killed or stopped at random, and the network between the APIs and their
servers fails. Afterwards all is counted up.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.mysql import migration
from app.mysql.engines import sync_engine
from app.settings import Settings
from tests.trials.chaos.checks import Check
from tests.trials.chaos.faults import Faults
from tests.trials.chaos.kept import KeptRows
from tests.trials.chaos.load import Load, conclude
from tests.trials.chaos.parts import Host, Part, Server
from tests.trials.chaos.relay import Relay

# Of the APIs, so that what follows from it fits into a minute: MySQL ends a session that hangs
# after three times as long.
DATABASE_SECONDS: Final = 2.0
KEPT_SECONDS: Final = 15.0


class Chaos:
    """One run."""

    def __init__(self, home: Path, seed: int) -> None:
        self._seed = seed
        self._began = time.monotonic()
        mysql = MySQLServer(home / "mysql", port=free_port())
        valkey = ValkeyServer(home / "valkey", port=free_port())
        self._servers = [Server("MySQL", mysql), Server("Valkey", valkey)]
        for server in self._servers:
            server.start()
        self._links = [(Relay(mysql.port), Relay(valkey.port)) for _ in range(2)]
        for link in chain(*self._links):
            link.start()
        settings = Settings(
            database_url=mysql.url,
            redis_url=valkey.url,
            database_timeout_seconds=DATABASE_SECONDS,
        )
        migration.upgrade(settings)
        through_links = [
            settings.model_copy(
                update={
                    "database_url": _by(mysql.url, to_mysql.port),
                    "redis_url": _by(valkey.url, to_redis.port),
                }
            )
            for to_mysql, to_redis in self._links
        ]
        self._load = Load(home, seed, settings, through_links)
        self._kept = KeptRows(sync_engine(settings), KEPT_SECONDS)

    def run(self, seconds: float) -> list[Check]:
        """The checks, after so many seconds of faults."""
        self._load.start()
        mysql, valkey = self._servers
        parts: dict[str, Sequence[Part]] = {
            "API": self._load.apis,
            "scheduler": self._load.schedulers,
            "worker": self._load.workers,
            "MySQL": [mysql],
            "Valkey": [valkey],
        }
        faults = Faults(
            parts,
            [Host(api, *links) for api, links in zip(self._load.apis, self._links, strict=True)],
            seed=self._seed,
            say=self._say,
            ledger=self._load.ledger,
            kept=self._kept,
        )
        faults.run(seconds)
        print(f"\nfaults: {dict(sorted(faults.done.items()))}")
        found = self._load.stop()
        return [
            *found,
            Check(
                f"whoever hangs amid a claim keeps no task for longer than {KEPT_SECONDS:g} s",
                self._kept.looked_at,
                self._kept.too_long,
            ),
            Check("no part but the crashing worker ends by itself", 1, faults.fallen),
        ]

    def close(self) -> None:
        self._load.kill()
        for link in chain(*self._links):
            link.close()
        for server in self._servers:
            server.kill()

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)


def _by(url: str, port: int) -> str:
    """The same server, by another port."""
    return re.sub(r":[0-9]+/", f":{port}/", url)


def main() -> int:
    """Whether every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials.chaos", description=__doc__)
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
    return conclude(found, options.seed, home)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:
        sys.exit(f"chaos: {error}")
