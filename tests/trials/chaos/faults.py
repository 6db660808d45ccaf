"""Faults, one after the other, as the seed says: each kind once before any comes again."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Final

from app.queue import statements
from tests.trials.chaos.clients import Ledger
from tests.trials.chaos.kept import KeptRows
from tests.trials.chaos.parts import Host, Part, freeze, thaw
from tests.trials.chaos.relay import Relay

BETWEEN_SECONDS: Final = (0.3, 1.5)
DEAD_SECONDS: Final = (0.1, 2.0)
# Longer than any of the platform's own time-outs, at times.
FROZEN_SECONDS: Final = (0.5, 7.0)
STARTING_SECONDS: Final = 4.0
# Longer than every lease, deadline and time-out: of a run of five minutes, and at least.
OUTAGE_SECONDS: Final = (60.0, 12.0)
NETWORK_SECONDS: Final = (10.0, 4.0)
FULL_RUN_SECONDS: Final = 300.0
# What of the claim's text is the same each time.
CLAIM: Final = statements.CLAIM.rpartition("%s")[0].rpartition("%s")[2].encode()
CLAIM_SECONDS: Final = 10.0
# A claim may find nothing, and then keeps nothing.
STRIKES: Final = 10
SLOW_SECONDS: Final = 0.3
# As long as an answer may stay in the cache, and the cache be settling.
APART_SECONDS: Final = 8.0


class Faults:
    """Kills and freezes parts, and disturbs the links of APIs. From the main thread: it starts
    them again."""

    def __init__(
        self,
        parts: Mapping[str, Sequence[Part]],
        hosts: Sequence[Host],
        *,
        seed: int,
        say: Callable[[str], object],
        ledger: Ledger,
        kept: KeptRows,
    ) -> None:
        self._parts = parts
        self._hosts = hosts
        self._random = random.Random(seed)
        self._say = say
        self._ledger = ledger
        self._kept = kept
        self._share = 1.0
        self.done: Counter[str] = Counter()
        # Parts that ended by themselves. A worker may whose character it is; and who is only
        # starting when MySQL goes says so and ends, for its supervisor to start it again.
        self.fallen: list[str] = []
        self._started_at: dict[str, float] = {}
        self._mysql_gone_at: list[float] = []

    def run(self, seconds: float) -> None:
        """So long, and until each kind has been at least once; everything runs at the end."""
        self._share = seconds / FULL_RUN_SECONDS
        until = time.monotonic() + seconds
        for round_number in count():
            kinds = list(self._kinds().items())
            self._random.shuffle(kinds)
            for name, fault in kinds:
                if round_number and time.monotonic() > until:
                    return
                time.sleep(self._random.uniform(*BETWEEN_SECONDS))
                self._start_what_crashed()
                fault()
                self.done[name] += 1

    def _kinds(self) -> dict[str, Callable[[], None]]:
        kinds: dict[str, Callable[[], None]] = {}
        for kind, parts in self._parts.items():
            kinds[f"{kind} killed"] = partial(self._kill, parts)
            kinds[f"{kind} stopped"] = partial(self._freeze, parts)
        return kinds | {
            "all APIs stopped for long": self._outage,
            "API stopped amid a claim": partial(self._amid_a_claim, "stopped", _hang, _go_on),
            "host vanished amid a claim": partial(
                self._amid_a_claim, "vanished", _vanish, self._come_back
            ),
            "silence to MySQL": partial(self._disturb, "MySQL", "silent", Relay.silence),
            "silence to Redis": partial(self._disturb, "Redis", "silent", Relay.silence),
            "MySQL refused": partial(self._disturb, "MySQL", "refused", Relay.refuse),
            "Redis refused": partial(self._disturb, "Redis", "refused", Relay.refuse),
            "MySQL slow": partial(self._disturb, "MySQL", "slow", _slow),
            "Redis slow": partial(self._disturb, "Redis", "slow", _slow),
            "MySQL cut off": self._cut,
        }

    def _kill(self, parts: Sequence[Part]) -> None:
        part = self._random.choice(parts)
        self._note(part)
        part.kill()
        seconds = self._random.uniform(*DEAD_SECONDS)
        self._say(f"{part.name} killed for {seconds:.1f} s")
        time.sleep(seconds)
        self._start(part)

    def _freeze(self, parts: Sequence[Part]) -> None:
        part = self._random.choice(parts)
        self._note(part)
        freeze(part)
        seconds = self._random.uniform(*FROZEN_SECONDS)
        self._say(f"{part.name} stopped for {seconds:.1f} s")
        time.sleep(seconds)
        thaw(part)

    def _outage(self) -> None:
        """Nobody hears a worker, and the schedulers go on."""
        seconds = self._long(OUTAGE_SECONDS)
        for host in self._hosts:
            freeze(host.api)
        self._say(f"all APIs stopped for {seconds:.1f} s")
        time.sleep(seconds)
        for host in self._hosts:
            thaw(host.api)

    def _amid_a_claim(
        self, how: str, strike: Callable[[Host], None], restore: Callable[[Host], None]
    ) -> None:
        """Between the SELECT that locks the rows and the COMMIT; others must get at them soon."""
        for _ in range(STRIKES):
            host = self._random.choice(self._hosts)
            if not host.mysql.on_sight(CLAIM, partial(strike, host)).wait(CLAIM_SECONDS):
                host.mysql.forget()
                continue
            seconds = self._kept.until_free()
            restore(host)
            if seconds is not None:
                self._say(f"{host.api.name} {how} amid a claim: others waited {seconds:.1f} s")
                return

    def _come_back(self, host: Host) -> None:
        host.api.kill()
        for link in (host.mysql, host.redis):
            link.heal()
        self._start(host.api)

    def _disturb(self, server: str, how: str, disturb: Callable[[Relay], None]) -> None:
        host = self._random.choice(self._hosts)
        link = host.mysql if server == "MySQL" else host.redis
        seconds = self._long(NETWORK_SECONDS)
        if server == "Redis":
            self._ledger.apart_until = float("inf")
        else:
            self._mysql_gone_at.append(time.monotonic())
        disturb(link)
        self._say(f"{host.api.name}: the way to {server} {how} for {seconds:.1f} s")
        time.sleep(seconds)
        link.heal()
        if server == "Redis":
            self._ledger.apart_until = time.monotonic() + APART_SECONDS

    def _cut(self) -> None:
        host = self._random.choice(self._hosts)
        self._mysql_gone_at.append(time.monotonic())
        host.mysql.cut()
        self._say(f"{host.api.name}: its connections to MySQL cut off")

    def _long(self, bounds: tuple[float, float]) -> float:
        full, least = bounds
        return max(least, min(full, full * self._share)) * self._random.uniform(0.8, 1.0)

    def _note(self, part: Part) -> None:
        if part.name == "MySQL":
            self._mysql_gone_at.append(time.monotonic())

    def _start_what_crashed(self) -> None:
        for part in (part for parts in self._parts.values() for part in parts):
            if not part.is_running:
                if not (part.name.endswith("crashing") or self._was_starting(part)):
                    self.fallen.append(part.name)
                self._start(part)

    def _was_starting(self, part: Part) -> bool:
        began = self._started_at.get(part.name, 0.0)
        return any(0 <= gone - began < STARTING_SECONDS for gone in self._mysql_gone_at)

    def _start(self, part: Part) -> None:
        self._started_at[part.name] = time.monotonic()
        part.start()


def _hang(host: Host) -> None:
    freeze(host.api)


def _go_on(host: Host) -> None:
    thaw(host.api)


def _vanish(host: Host) -> None:
    """MySQL and Redis are told nothing, and keep what the process had."""
    for link in (host.mysql, host.redis):
        link.silence()
    freeze(host.api)


def _slow(link: Relay) -> None:
    link.slow(SLOW_SECONDS)
