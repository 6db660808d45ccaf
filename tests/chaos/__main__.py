"""Everything fails, again and again, and the promises hold: `make chaos`.

    python -m tests.chaos [--minutes 5] [--seed N]

Two APIs, two schedulers, workers of every character and clients run on one MySQL and one Valkey,
while any of them is killed or stopped at random. Afterwards all is counted up.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app import migrations
from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.ports import free_port
from app.local.valkey import ValkeyServer
from app.settings import Settings
from tests.chaos.checks import Check
from tests.chaos.faults import Faults
from tests.chaos.load import Load, conclude
from tests.chaos.parts import Part, Server


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
        settings = Settings(database_url=mysql.url, redis_url=valkey.url)
        migrations.upgrade(settings)
        self._load = Load(home, seed, settings)

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
        faults = Faults(parts, self._seed, self._say)
        faults.run(seconds)
        print(f"\nfaults: {dict(sorted(faults.done.items()))}")
        found = self._load.stop()
        return [
            *found,
            Check("no part but the crashing worker ends by itself", 1, faults.fallen),
        ]

    def close(self) -> None:
        self._load.kill()
        for server in self._servers:
            server.kill()

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
    return conclude(found, options.seed, home)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:
        sys.exit(f"chaos: {error}")
