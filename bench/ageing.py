"""16. Finish and claim with a million overdue 低 behind live 高, in a queue that ages, against one
that does not."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from app.queue.queue_settings import IN_FORCE_AFTER
from bench.result import Result, Run, details, interleave, usual
from bench.rows import WAITING, inserts
from bench.session import Session
from bench.stack import Site
from rowlock import Client

CONNECTIONS: Final = 64
LEAST: Final = 1.3
# Of the tasks that a large benchmark has (`--rows`), so many are 低.
SHARE: Final = 0.1
ENOUGH_A_SECOND: Final = 8_000
AGES: Final = {"中": 600, "低": 3600}
HOURS_AGO: Final = "UTC_TIMESTAMP(6) - INTERVAL 2 HOUR + INTERVAL 100 * n MICROSECOND"
# Of each queue, since when its 高 wait. What is overdue comes before all of them, or each between
# two of them: then every claim takes from both ranks.
SINCE: Final[Mapping[str, str]] = {
    "strict": "UTC_TIMESTAMP(6) + INTERVAL n MICROSECOND",
    "overdue": "UTC_TIMESTAMP(6) + INTERVAL n MICROSECOND",
    "in between": "UTC_TIMESTAMP(6) - INTERVAL 1 HOUR + INTERVAL 100 * n MICROSECOND",
}


def run(session: Session) -> list[Result]:
    options = session.options
    low = max(int(SHARE * options.rows), 1)
    high = int(ENOUGH_A_SECOND * options.seconds * (options.rounds + 2))
    with session.site("ageing") as site:
        for name, since in SINCE.items():
            _fill(site, _queue(name), "低", max(low, high), HOURS_AGO)
            _fill(site, _queue(name), "高", high, since)
        api = site.serve()
        with Client(api.url) as client:
            for name in SINCE.keys() - {"strict"}:
                client.admin.set_queue_settings(_queue(name), ageing_seconds=AGES)
        time.sleep(IN_FORCE_AFTER.total_seconds())

        def cycles(name: str) -> Run:
            return session.load(api, "finish_and_claim", CONNECTIONS, queue=_queue(name))

        measures = {name: partial(cycles, name) for name in SINCE}
        interleave(1, measures)  # to warm up
        runs = interleave(options.rounds, measures)
    found = {name: usual([run.latency_ms for run in of]) for name, of in runs.items()}
    return [
        Result(
            name=f"16 · finish + claim, {low:,} 低 overdue {where} live 高, {percent}",
            figure=found[name][percent],
            unit="ms",
            reference=found["strict"][percent],
            ratio=(ratio := found[name][percent] / found["strict"][percent]),
            target=f"≤ {LEAST} ×",
            ok=ratio <= LEAST,
            how=f"{CONNECTIONS} connections, one `POST /leases/finish` a task; the reference is "
            "a queue with the same tasks that does not age, and hands out its 高.",
            details=details({name: runs[name], "strict": runs["strict"]}),
        )
        for name, where in (("overdue", "before"), ("in between", "among"))
        for percent in ("p50", "p99")
    ]


def _queue(name: str) -> str:
    return name.replace(" ", "-")


def _fill(site: Site, queue: str, priority: str, count: int, since: str) -> None:
    columns: dict[str, Any] = {
        **WAITING,
        "queue": f"'{queue}'",
        "priority": f"'{priority}'",
        "claim_rank": str("高中低".index(priority)),
        "created_at": since,
        "turn_at": since,
    }
    site.run(*inserts(columns, count))
