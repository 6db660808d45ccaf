"""5. Pick-up: one worker waits, a task comes every 50 ms; from its 201 to the worker's lease,
against the time that one bare INSERT takes to commit."""

import asyncio
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvloop

from bench.result import BenchError, Result, percentiles
from bench.scripts import task
from bench.session import Session
from bench.stack import Api, Site
from bench.wire import Caller, request

EVERY_SECONDS: Final = 0.05
P50_TIMES, P99_TIMES = 4, 20
OTHER_PROCESS_P50_MS: Final = 60
_LEASE: Final = b'"lease_id":"'


def run(session: Session) -> list[Result]:
    rounds, seconds = session.options.rounds, max(session.options.seconds, 1.0)
    samples: dict[str, array[float]] = {
        name: array("d") for name in ("bare", "same process", "other process")
    }
    with session.site("pickup") as site, _bare_insert(site) as insert:
        one, two = site.serve(), site.serve()
        for number in range(rounds + 1):
            found = {
                "bare": _commits(insert, seconds),
                "same process": uvloop.run(pick_up(one, one, seconds)),
                "other process": uvloop.run(pick_up(one, two, seconds)),
            }
            if number:  # the first round warms up
                for name, times in found.items():
                    samples[name].extend(times)
    spread = {name: percentiles(times) for name, times in samples.items()}
    bare, same, other = spread["bare"], spread["same process"], spread["other process"]
    how = (
        f"one worker with `wait_seconds`, a task every {EVERY_SECONDS * 1000:.0f} ms, "
        f"{len(samples['bare'])} of them; from the 201 received to the lease received. The "
        "reference is one INSERT by PyMySQL into a table like `tasks`, at the same pace."
    )
    return [
        Result(
            name=f"5 · pick-up, p{percent}",
            figure=same[f"p{percent}"],
            unit="ms",
            reference=bare[f"p{percent_of_bare}"],
            ratio=(found_ratio := same[f"p{percent}"] / bare[f"p{percent_of_bare}"]),
            target=f"≤ {times} ×",
            ok=found_ratio <= times,
            how=how,
            details=spread,
        )
        for percent, percent_of_bare, times in ((50, 50, P50_TIMES), (99, 50, P99_TIMES))
    ] + [
        Result(
            name="5 · pick-up from another process, p50",
            figure=other["p50"],
            unit="ms",
            target=f"≤ {OTHER_PROCESS_P50_MS} ms",
            ok=other["p50"] <= OTHER_PROCESS_P50_MS,
            how="the same, with the worker waiting at another API process.",
            details=spread,
        )
    ]


async def pick_up(submitted_at: Api, waiting_at: Api, seconds: float, **fields: str) -> list[float]:
    """Milliseconds from each 201 to its lease. Less than none where the lease was quicker."""
    submit = request("POST", "/tasks", task(1) | fields)
    queues = [fields.get("queue", "default")]
    claim = request("POST", "/leases", {"worker": "w", "queues": queues, "wait_seconds": 30})
    client, worker, leases = Caller(), Caller(), asyncio.Queue[float]()
    await client.connect(submitted_at.port)
    await worker.connect(waiting_at.port)

    async def work() -> None:
        while True:
            status, body = await worker.ask(claim)
            at = time.perf_counter()
            if status != 200:
                raise BenchError(f"a claim was answered {status}: {body!r}")
            if _LEASE not in body:
                continue
            lease = body.partition(_LEASE)[2].partition(b'"')[0].decode()
            status, body = await worker.ask(request("POST", f"/leases/{lease}/complete"))
            if status != 200:
                raise BenchError(f"a completion was answered {status}: {body!r}")
            leases.put_nowait(at)

    working = asyncio.create_task(work())
    found = []
    until = time.perf_counter() + seconds
    try:
        while time.perf_counter() < until:
            await asyncio.sleep(EVERY_SECONDS)
            status, body = await client.ask(submit)
            told_at = time.perf_counter()
            if status != 201:
                raise BenchError(f"a task was answered {status}: {body!r}")
            async with asyncio.timeout(30):
                found.append(1000 * (await leases.get() - told_at))
    finally:
        working.cancel()
        client.close()
        worker.close()
    return found


@contextmanager
def _bare_insert(site: Site) -> Iterator[Any]:
    """A statement that inserts one row."""
    site.run("CREATE TABLE bare LIKE tasks")
    connection = site.connect()
    statement = (
        "INSERT INTO bare (title, status, priority, queue, timeout_seconds, retry_limit, "
        "retry_delay_seconds, retry_backoff, current_retry_count, created_at, updated_at, "
        "payload, claim_rank, attempt) VALUES ('resize image 1', 'to_do', '高', 'default', 60, "
        "3, 5, 'exponential', 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), "
        """'{"path":"/data/1.png","width":640}', 0, 0)"""
    )
    with connection.cursor() as cursor:
        yield lambda: cursor.execute(statement)
    connection.close()


def _commits(insert: Any, seconds: float) -> list[float]:
    found = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        time.sleep(EVERY_SECONDS)
        began = time.perf_counter()
        insert()
        found.append(1000 * (time.perf_counter() - began))
    return found
