"""Whatever the OpenAPI document allows, and whatever it does not, is sent: `make fuzz`.

    python -m tests.trials.fuzz [--minutes 5] [--seed N]

schemathesis makes the calls from the document (its examples, every bound, at random, and along
its links), right ones and wrong ones, and holds every answer to it. Half of the time the server
has no tokens, half of the time each door has its own.
"""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.valkey import ValkeyServer
from tests.trials.fuzz.run import fuzz


def main() -> int:
    """Whether every answer was as the document says."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    given = [f"--seed={options.seed}", f"--max-time={max(1, round(30 * options.minutes))}"]
    home = Path(tempfile.mkdtemp(prefix="rowlock-fuzz-"))
    found = []
    with MySQLServer(home / "mysql", fast=True) as mysql, ValkeyServer(home / "valkey") as valkey:
        for has_tokens in (False, True):
            here = home / ("with-tokens" if has_tokens else "without-tokens")
            here.mkdir()
            print(f"\n{here.name}\n", flush=True)
            found.append(
                fuzz(
                    here,
                    given,
                    database_url=mysql.url,
                    redis_url=valkey.url,
                    has_tokens=has_tokens,
                )
            )
    if all(found):
        shutil.rmtree(home, ignore_errors=True)
        print(f"\nAll as the document says: seed {options.seed}.")
        return 0
    print(f"\nNOT AS THE DOCUMENT SAYS: seed {options.seed}. The logs are in {home}.")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalError as error:
        sys.exit(f"fuzz: {error}")
