"""6. A thousand workers wait on one API process, and there is nothing to do."""

import asyncio
import random
import time
from typing import Final

import uvloop

from bench.proc import cpu_seconds
from bench.result import BenchError, Result
from bench.session import Session
from bench.stack import Api, Site
from bench.wire import Caller, request

WORKERS: Final = 1000
WAIT_SECONDS: Final = 30
SETTLE_SECONDS: Final = 4
MOST_STATEMENTS, MOST_CPU_PERCENT = 15.0, 5.0


def run(session: Session) -> list[Result]:
    with session.site("idle") as site:
        api = site.serve()
        # Long enough that everyone's wait has ended once, and begun anew.
        seconds = max(WAIT_SECONDS + 1.0, session.options.seconds)
        statements, cpu_percent, by_kind = uvloop.run(_watch(site, api, seconds))
    how = (
        f"{WORKERS:,} connections in `POST /leases` with `wait_seconds` {WAIT_SECONDS}, begun at "
        f"different times and each begun anew when it ends, over {seconds:.0f} s; "
    )
    return [
        Result(
            name="6 · statements while 1,000 workers wait",
            figure=statements,
            unit="/s",
            target=f"≤ {MOST_STATEMENTS:.0f} /s",
            ok=statements <= MOST_STATEMENTS,
            how=how + "all that MySQL counts in `Questions`.",
            details={"by kind, per second": by_kind},
        ),
        Result(
            name="6 · CPU while 1,000 workers wait",
            figure=cpu_percent,
            unit="% of a core",
            target=f"≤ {MOST_CPU_PERCENT:.0f} %",
            ok=cpu_percent <= MOST_CPU_PERCENT,
            how=how + "the API process's, from /proc.",
        ),
    ]


async def _watch(site: Site, api: Api, seconds: float) -> tuple[float, float, dict[str, float]]:
    waiting = []
    for _ in range(WORKERS):
        caller = Caller()
        await caller.connect(api.port)
        waiting.append(asyncio.create_task(_wait_on(caller)))
    await asyncio.sleep(SETTLE_SECONDS)
    before, cpu, began = _counters(site), cpu_seconds(api.pid), time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - began
    used, after = cpu_seconds(api.pid) - cpu, _counters(site)
    for one in waiting:
        if one.done():
            one.result()
            raise BenchError("a worker has stopped waiting")
        one.cancel()
    asked = {kind: (after[kind] - before[kind]) / passed for kind in before}
    shown = {kind: round(count, 2) for kind, count in asked.items() if count >= 0.05}
    return asked["Questions"], 100 * used / passed, shown


async def _wait_on(caller: Caller) -> None:
    seconds = random.uniform(0.1, WAIT_SECONDS)
    while True:
        status, body = await caller.ask(
            request("POST", "/leases", {"worker": "w", "wait_seconds": seconds})
        )
        if status != 200 or body != b"[]":
            raise BenchError(f"a claim was answered {status}: {body[:300]!r}")
        seconds = WAIT_SECONDS


def _counters(site: Site) -> dict[str, int]:
    rows = site.rows(
        "SHOW GLOBAL STATUS WHERE Variable_name = 'Questions' OR Variable_name LIKE 'Com\\_%'"
    )
    return {name: int(count) for name, count in rows}
