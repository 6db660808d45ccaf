"""6. Thousands of workers wait on one API process, and there is nothing to do."""

import asyncio
import random
import resource
import time
from typing import Final

import uvloop

from bench.proc import cpu_seconds
from bench.result import BenchError, Result
from bench.session import Session
from bench.stack import Api, Site
from bench.wire import Caller, request

CROWDS: Final = (1000, 10_000)
WAIT_SECONDS: Final = 30
# The register has been told of all of them once.
SETTLE_SECONDS: Final = 12
MOST_STATEMENTS: Final = 15.0
MOST_CPU_PERCENT_OF_A_THOUSAND: Final = 5.0


def run(session: Session) -> list[Result]:
    return [result for workers in CROWDS for result in _results(session, workers)]


def _results(session: Session, workers: int) -> list[Result]:
    with session.site("idle") as site:
        api = site.serve()
        # Long enough that everyone's wait has ended once, and begun anew.
        seconds = max(WAIT_SECONDS + 1.0, session.options.seconds)
        statements, cpu_percent, by_kind = uvloop.run(_watch(site, api, workers, seconds))
    most_cpu_percent = MOST_CPU_PERCENT_OF_A_THOUSAND * workers / 1000
    how = (
        f"{workers:,} connections in `POST /leases` with `wait_seconds` {WAIT_SECONDS}, each of a "
        "worker of its own, begun at different times and each begun anew when it ends, over "
        f"{seconds:.0f} s; "
    )
    return [
        Result(
            name=f"6 · statements while {workers:,} workers wait",
            figure=statements,
            unit="/s",
            target=f"≤ {MOST_STATEMENTS:.0f} /s",
            ok=statements <= MOST_STATEMENTS,
            how=how + "all that MySQL counts in `Questions`.",
            details={"by kind, per second": by_kind},
        ),
        Result(
            name=f"6 · CPU while {workers:,} workers wait",
            figure=cpu_percent,
            unit="% of a core",
            target=f"≤ {most_cpu_percent:.0f} %",
            ok=cpu_percent <= most_cpu_percent,
            how=how + "the API process's, from /proc.",
        ),
    ]


async def _watch(
    site: Site, api: Api, workers: int, seconds: float
) -> tuple[float, float, dict[str, float]]:
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    waiting = []
    for number in range(workers):
        caller = Caller()
        await caller.connect(api.port)
        waiting.append(asyncio.create_task(_wait_on(caller, f"host-{number}")))
    await asyncio.sleep(SETTLE_SECONDS)
    before, cpu, began = _counters(site), cpu_seconds(api.pid), time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - began
    used, after = cpu_seconds(api.pid) - cpu, _counters(site)
    ((known,),) = site.rows("SELECT COUNT(*) FROM workers")
    if known != workers:
        raise BenchError(f"of {workers:,} workers the register has {known:,}")
    for one in waiting:
        if one.done():
            one.result()
            raise BenchError("a worker has stopped waiting")
        one.cancel()
    asked = {kind: (after[kind] - before[kind]) / passed for kind in before}
    shown = {kind: round(count, 2) for kind, count in asked.items() if count >= 0.05}
    return asked["Questions"], 100 * used / passed, shown


async def _wait_on(caller: Caller, worker: str) -> None:
    seconds = random.uniform(0.1, WAIT_SECONDS)
    while True:
        status, body = await caller.ask(
            request("POST", "/leases", {"worker": worker, "wait_seconds": seconds})
        )
        if status != 200 or body != b"[]":
            raise BenchError(f"a claim was answered {status}: {body[:300]!r}")
        seconds = WAIT_SECONDS


def _counters(site: Site) -> dict[str, int]:
    rows = site.rows(
        "SHOW GLOBAL STATUS WHERE Variable_name = 'Questions' OR Variable_name LIKE 'Com\\_%'"
    )
    return {name: int(count) for name, count in rows}
