"""One Python worker process on tasks that are nothing, beside what the server alone can do."""

import time
from typing import Final

from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import keep_waiting
from bench.session import WARM_UP_SECONDS, Session
from bench.stack import Api, Site

CONCURRENCY: Final = 64
CONNECTIONS: Final = 32
LEAST: Final = 0.9
ENOUGH_A_SECOND: Final = 8_000


def run(session: Session) -> list[Result]:
    seconds = session.options.seconds
    with session.site("python_worker") as site:
        api = site.serve()

        def server() -> Run:
            keep_waiting(site, int(ENOUGH_A_SECOND * seconds))
            return session.load(api, "finish_and_claim", CONNECTIONS)

        def worker() -> Run:
            keep_waiting(site, int(ENOUGH_A_SECOND * (seconds + WARM_UP_SECONDS)))
            return _work(site, api, seconds)

        measures = {"python worker": worker, "server": server}
        interleave(1, measures)  # to warm up
        runs = interleave(session.options.rounds, measures)
    found = ratio(runs["python worker"], runs["server"])
    return [
        Result(
            name="13 · no-op tasks by one Python worker",
            figure=rate(runs["python worker"]),
            unit="tasks/s",
            reference=rate(runs["server"]),
            ratio=found,
            target=f"≥ {LEAST:.1f}",
            ok=found >= LEAST,
            how=f"`rowlock worker --handlers` with `--concurrency {CONCURRENCY}` and a handler "
            "that does nothing, counted in MySQL from its second on; the reference is the load "
            f"generator with {CONNECTIONS} connections and one `POST /leases/finish` a task.",
            details=details(runs),
        )
    ]


def _work(site: Site, api: Api, seconds: float) -> Run:
    process = site.work(api, "--handlers", "bench.noop:worker", "--concurrency", str(CONCURRENCY))
    try:
        at_first = _done(site)
        while _done(site) == at_first:
            time.sleep(0.02)
        time.sleep(WARM_UP_SECONDS)
        before, began = _done(site), time.perf_counter()
        time.sleep(seconds)
        done, took = _done(site) - before, time.perf_counter() - began
    finally:
        process.stop()
    return Run(units=done, rate=done / took)


def _done(site: Site) -> int:
    return int(site.value("SELECT COUNT(*) FROM tasks WHERE status = 'done'"))
