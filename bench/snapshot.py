"""8. Claim and complete after 100,000 claims that were made while another session holds a
snapshot open, as a backup does."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.by_hand import Workers
from bench.result import BenchError, Result, Run, details, rate
from bench.rows import keep_waiting
from bench.session import WARM_UP_SECONDS, Session
from bench.stack import Api, Site

CONNECTIONS: Final = 64
CLAIMS: Final = 100_000
LEAST: Final = 0.6
ENOUGH_A_SECOND: Final = 10_000
# Transactions left to clean up behind; each may be of thousands of rows.
PURGED: Final = 10
PURGE_SECONDS: Final = 120


def run(session: Session) -> list[Result]:
    rounds, seconds = session.options.rounds, session.options.seconds
    with session.site("snapshot") as site, Workers(site) as workers:
        api = site.serve()
        workers.fill(CLAIMS + int(ENOUGH_A_SECOND / 2 * seconds * (rounds + 1)))
        keep_waiting(site, CLAIMS + int(ENOUGH_A_SECOND * seconds))
        session.warm_up(api, "cycle", CONNECTIONS)
        workers.run(WARM_UP_SECONDS)

        def measure() -> list[Run]:
            return [_cycles(session, site, api) for _ in range(rounds)]

        _wait_for_purge(site)
        before, by_hand = measure(), workers.run(seconds)
        keep_waiting(site, CLAIMS + int(2 * ENOUGH_A_SECOND * seconds))
        with _open_snapshot(site):
            _claim_many(session, api)
            _take_by_hand(site)
            during, by_hand_during = measure(), workers.run(seconds)
        _wait_for_purge(site)
        after = measure()
    found = rate(during) / rate(before + after)
    return [
        Result(
            name="8 · claim + complete under an open snapshot",
            figure=rate(during),
            unit="tasks/s",
            reference=rate(before + after),
            ratio=found,
            target=f"≥ {LEAST:.1f}",
            ok=found >= LEAST,
            how=f"{CONNECTIONS} connections, after {CLAIMS:,} tasks were claimed and completed "
            "while another session held a snapshot open; the reference is the same before the "
            "snapshot, and after its end.",
            details={
                **details({"before": before, "during": during, "after": after}),
                "by hand": {
                    "before": round(by_hand.rate),
                    "during": round(by_hand_during.rate),
                    "ratio": round(by_hand_during.rate / by_hand.rate, 2),
                },
            },
        )
    ]


def _cycles(session: Session, site: Site, api: Api) -> Run:
    keep_waiting(site, int(ENOUGH_A_SECOND * session.options.seconds))
    return session.load(api, "cycle", CONNECTIONS)


def _claim_many(session: Session, api: Api) -> None:
    claimed = 0
    while claimed < CLAIMS:
        claimed += session.load(api, "cycle_many", 8, seconds=1.0, size=100).units


def _take_by_hand(site: Site) -> None:
    """As many gone from the head of the index of those who do it by hand."""
    for _ in range(10):
        site.run(
            "UPDATE by_hand SET status = 'done' WHERE queue = 'default' AND status = 'to_do' "
            f"ORDER BY priority, created_at, id LIMIT {CLAIMS // 10}"
        )


@contextmanager
def _open_snapshot(site: Site) -> Iterator[None]:
    connection = site.connect()
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT COUNT(*) FROM tags")
        yield
        connection.rollback()
    connection.close()


def _wait_for_purge(site: Site) -> None:
    """Until InnoDB has cleaned up behind what was done so far."""
    give_up_at = time.monotonic() + PURGE_SECONDS
    while _history_length(site) > PURGED:
        if time.monotonic() > give_up_at:
            raise BenchError("InnoDB does not get on with its purge")
        time.sleep(0.2)


def _history_length(site: Site) -> int:
    ((_, _, status),) = site.rows("SHOW ENGINE INNODB STATUS")
    found: Any = re.search(r"History list length (\d+)", status)
    return int(found[1])
