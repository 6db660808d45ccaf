"""14. Retention of 1,000,000 ended tasks, while a worker claims: is any claim held up?"""

from statistics import median
from typing import Final

from bench.result import BenchError, Result
from bench.rows import DONE, inserts, keep_waiting
from bench.session import Session

MOST_ROWS: Final = 1_000_000
MOST_TIMES_THE_MEDIAN: Final = 5.0
ENOUGH_A_SECOND: Final = 2_000
SECONDS: Final = 5.0
GIVE_UP_SECONDS: Final = 3600.0
LAST_WEEK: Final = "UTC_TIMESTAMP(6) - INTERVAL 7 DAY + INTERVAL n MICROSECOND"
_OLD: Final = "SELECT COUNT(*) FROM tasks WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY"


def run(session: Session) -> list[Result]:
    rows = min(session.options.rows, MOST_ROWS)
    with session.site("retention") as site:
        old = {**DONE, "created_at": LAST_WEEK, "updated_at": LAST_WEEK, "completed_at": LAST_WEEK}
        site.run(*inserts(old, rows), "ANALYZE TABLE tasks")
        api = site.serve()

        def claims() -> dict[str, float]:
            keep_waiting(site, int(ENOUGH_A_SECOND * SECONDS))
            return dict(session.load(api, "finish_and_claim", 1, seconds=SECONDS).latency_ms)

        claims()  # to warm up
        without = [claims() for _ in range(session.options.rounds)]
        site.schedule(ROWLOCK_RETENTION_DAYS="1")
        beside: list[dict[str, float]] = []
        while site.value(_OLD):
            beside.append(claims())
            if len(beside) * SECONDS > GIVE_UP_SECONDS:
                raise BenchError(f"not deleted within {GIVE_UP_SECONDS:g} s")
    usual = median(one["p50"] for one in without)
    slowest = max(one["max"] for one in beside)
    found = slowest / usual
    return [
        Result(
            name=f"14 · slowest claim while {rows:,} tasks are deleted",
            figure=slowest,
            unit="ms",
            reference=usual,
            ratio=found,
            target=f"≤ {MOST_TIMES_THE_MEDIAN:g} ×",
            ok=found <= MOST_TIMES_THE_MEDIAN,
            how="one connection, one `POST /leases/finish` a task, for as long as the scheduler "
            f"deletes, {len(beside) * SECONDS:.0f} s; the reference is the median without.",
            details={
                "p50 ms, without and beside": [usual, median(one["p50"] for one in beside)],
                "p99 ms, without and beside": [
                    median(one["p99"] for one in without),
                    median(one["p99"] for one in beside),
                ],
                "slowest ms, without and beside": [max(one["max"] for one in without), slowest],
                "slowest of each run, ms": [one["max"] for one in beside],
            },
        )
    ]
