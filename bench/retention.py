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
# MySQL's own account of what was slow, so that nobody has to guess whose time it was.
_LOG_COMMITS: Final = (
    "SET GLOBAL long_query_time = 0.01",
    "SET GLOBAL log_output = 'TABLE'",
    "SET GLOBAL slow_query_log = 1",
)
_SLOW_COMMITS: Final = (
    "SELECT COUNT(*) FROM mysql.slow_log WHERE sql_text = 'COMMIT' AND query_time > {seconds:f}"
)
_OLD: Final = "SELECT COUNT(*) FROM tasks WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY"


def run(session: Session) -> list[Result]:
    rows = min(session.options.rows, MOST_ROWS)
    with session.site("retention") as site:
        old = {**DONE, "created_at": LAST_WEEK, "updated_at": LAST_WEEK, "completed_at": LAST_WEEK}
        site.run(*inserts(old, rows), "ANALYZE TABLE tasks")
        site.run(*_LOG_COMMITS)
        api = site.serve()

        def claims() -> dict[str, float]:
            keep_waiting(site, int(ENOUGH_A_SECOND * SECONDS))
            return dict(session.load(api, "finish_and_claim", 1, seconds=SECONDS).latency_ms)

        claims()  # to warm up
        without = [claims() for _ in range(session.options.rounds)]
        usual = median(one["p50"] for one in without)
        most = MOST_TIMES_THE_MEDIAN * usual
        site.run("TRUNCATE mysql.slow_log")
        site.schedule(ROWLOCK_RETENTION_DAYS="1")
        beside: list[dict[str, float]] = []
        while site.value(_OLD):
            beside.append(claims())
            if len(beside) * SECONDS > GIVE_UP_SECONDS:
                raise BenchError(f"not deleted within {GIVE_UP_SECONDS:g} s")
        commits = site.value(_SLOW_COMMITS.format(seconds=most / 1000))
        site.run("SET GLOBAL slow_query_log = 0")
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
                "runs, and those with a slower claim": [
                    len(beside),
                    sum(one["max"] > most for one in beside),
                ],
                "commits, the scheduler's too, that MySQL logged as slower": commits,
                "slowest of each run, ms": [one["max"] for one in beside],
            },
        )
    ]
