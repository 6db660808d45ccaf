"""Load that means harm, one way after another, and an honest caller all the while: `make siege`.

    python -m tests.trials.siege [--seconds 10] [ATTACK …]

A `rowlock serve` on a MySQL and a Valkey of its own, with the settings as they are by default, and
another one that speaks TLS.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import create_engine

from app.local.child import Child
from app.local.errors import LocalError
from app.local.mysql import MySQLServer
from app.local.valkey import ValkeyServer
from app.mysql import migration
from app.settings import Settings
from tests.support.certificate import make_certificate
from tests.trials.siege.attack import Attack
from tests.trials.siege.attacks import ATTACKS
from tests.trials.siege.honest import Served
from tests.trials.siege.server import Server

MOST_MB = 300.0
# Twice as many as the two servers' pools have: what timed out may stay for one time-out more.
MOST_SESSIONS = 80
QUIET_SECONDS = 3.0
# Answers that no attack may get.
BROKEN = ("500", "502", "504")


class Outcome(NamedTuple):
    """One attack, over."""

    name: str
    attack: Attack
    peak_mb: float
    served: Served
    said: Mapping[str, Any]
    left: Mapping[str, int]
    faults: Sequence[str]
    # In MySQL, at the end of the attack.
    sessions: int

    @property
    def broken(self) -> list[str]:
        """What did not hold."""
        found = []
        if self.peak_mb >= MOST_MB:
            found.append(f"{self.peak_mb:.0f} MB")
        refused = {
            what: count
            for what, count in self.served.refused.items()
            # 422: a list that took too long, whatever it was that took so long.
            if not (self.attack.locks_out and what.endswith((" 503", "GET /tasks 422")))
        }
        if refused:
            found.append(f"honest calls: {refused}")
        if self.sessions > MOST_SESSIONS:
            found.append(f"{self.sessions} sessions in MySQL")
        if not self.served.latencies_ms:
            found.append("no honest call was answered")
        if self.said.get("connected", 0) < self.attack.callers:
            found.append(f"only {self.said.get('connected', 0)} callers came: no siege")
        answers = self.said.get("answers", {})
        if wrong := {status: n for status, n in answers.items() if status in BROKEN}:
            found.append(f"answers: {wrong}")
        if self.left:
            found.append(f"left behind: {dict(self.left)}")
        if self.faults:
            found.append(f"{len(self.faults)} faults in the log, the first: {self.faults[0][:200]}")
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
    """The servers, and all that is sent to them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._mysql = MySQLServer(home / "mysql")
        self._valkey = ValkeyServer(home / "valkey")
        self._mysql.start()
        self._valkey.start()
        settings = Settings(database_url=self._mysql.url, redis_url=self._valkey.url)
        migration.upgrade(settings)
        self._engine = create_engine(settings.sync_url, isolation_level="AUTOCOMMIT")
        certificate = (home / "certificate.pem", home / "key.pem")
        make_certificate(*certificate)
        self._plain = Server("serve", home, settings)
        self._tls = Server("serve-tls", home, settings, certificate)

    def run(self, names: list[str], seconds: float) -> list[Outcome]:
        """Each attack in turn, for so many seconds."""
        outcomes = []
        for server, is_tls in ((self._plain, False), (self._tls, True)):
            mine = [name for name in names if ATTACKS[name].over_tls is is_tls]
            if mine:
                server.wait_ready()
                outcomes.append(self._quiet(server))
                outcomes += [self._attack(server, name, seconds) for name in mine]
                server.close()
        return outcomes

    def close(self) -> None:
        self._engine.dispose()
        self._plain.close()
        self._tls.close()
        self._valkey.kill()
        self._mysql.kill()

    def _quiet(self, server: Server) -> Outcome:
        time.sleep(1)
        server.begin()
        time.sleep(QUIET_SECONDS)
        return self._end(server, "nobody", Attack("nothing", 0, {}), {}, 0)

    def _attack(self, server: Server, name: str, seconds: float) -> Outcome:
        attack = ATTACKS[name]
        tasks = attack.prepare(server.doors) if attack.prepare is not None else []
        server.begin()
        log = self._home / f"{name}.log"
        command = [sys.executable, "-m", "tests.trials.siege.attacker"]
        attacker = Child(
            name, [*command, name, str(server.port), str(seconds), *map(str, tasks)], log=log
        )
        with self._stranger(attack.stranger, tasks):
            attacker.wait(seconds + 60)
            sessions = self._sessions()
        said = log.read_text().splitlines()
        if not said or not said[-1].startswith("{"):
            raise LocalError(f"{name} did not say what came of it.{attacker.last_words()}")
        return self._end(server, name, attack, json.loads(said[-1]), sessions)

    def _sessions(self) -> int:
        with self._engine.connect() as session:
            found = session.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
            return int(found.one()[1])

    @contextmanager
    def _stranger(self, statements: Sequence[str], tasks: Sequence[int]) -> Iterator[None]:
        """Somebody else's session, in which these have been carried out."""
        with self._engine.connect() as session:
            for statement in statements:
                session.exec_driver_sql(statement.format(task=tasks[0]))
            yield
            session.invalidate()  # with its locks

    def _end(
        self, server: Server, name: str, attack: Attack, said: Mapping[str, Any], sessions: int
    ) -> Outcome:
        peak_mb, served = server.peak_mb(), server.honest.served()
        left, faults = server.left(), server.faults()
        outcome = Outcome(name, attack, peak_mb, served, said, left, faults, sessions)
        print(outcome.row(), flush=True)
        for broken in outcome.broken:
            print(f"    {broken}", flush=True)
        return outcome


def main() -> int:
    """Whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials.siege", description=__doc__)
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
