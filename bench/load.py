"""The load generator: some connections, each with its next request as soon as it has its answer.

Runs in a process of its own (`python -m bench.load`, jobs by `bench.remote`), so that its CPU
is its own. Any answer but 2xx ends the run as worthless.
"""

import asyncio
import gc
import time
from array import array
from collections.abc import Mapping
from typing import Any

import uvloop

from bench.remote import Job, work_off
from bench.result import BenchError, percentiles
from bench.scripts import Script, scripts
from bench.wire import HOST, Wire


class Load:
    """One job's connections together."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.until = 0.0
        self.ended_at = 0.0
        self.units = 0
        self.latencies = array("d")
        self.failure: Exception | None = None
        self.over = asyncio.Event()
        self._busy = 0

    async def run(self, where: Mapping[str, Any], made: list[Script]) -> None:
        """Connect all, then let them go at once; returns after the last answer."""
        lines = [Line(self, script) for script in made]
        for line in lines:
            await line.wire.connect(where["port"], **where.get("elsewhere", {}))
            line.headers = where.get("headers", "").encode()
        self._busy = len(lines)
        began = time.perf_counter()
        self.until = began + self.seconds
        for line in lines:
            line.begin()
        async with asyncio.timeout(self.seconds + 60):
            await self.over.wait()
        for line in lines:
            line.wire.close()
        if self.failure is not None:
            raise self.failure
        self.seconds = self.ended_at - began

    def fail(self, error: Exception) -> None:
        self.failure = self.failure or error
        self.over.set()

    def leave(self, at: float) -> None:
        self._busy -= 1
        if self._busy == 0:
            self.ended_at = at
            self.over.set()


class Line:
    """One connection and its script."""

    def __init__(self, load: Load, script: Script) -> None:
        self.wire = Wire(self._answered, self._failed)
        self.headers = b""
        self._load = load
        self._script = script
        self._sent_at = 0.0
        self._units = 0
        self._is_over = False

    def begin(self) -> None:
        try:
            self._ask(next(self._script))
        except StopIteration:
            self._leave(time.perf_counter())

    def _leave(self, at: float) -> None:
        # The server closes a connection that nobody uses.
        self._is_over = True
        self._load.leave(at)

    def _ask(self, call: tuple[bytes, int]) -> None:
        request, self._units = call
        if self.headers:
            request = request.replace(HOST, self.headers, 1)
        self._sent_at = time.perf_counter()
        self.wire.send(request)

    def _answered(self, status: int, body: bytes) -> None:
        load, now = self._load, time.perf_counter()
        load.latencies.append(now - self._sent_at)
        if not 200 <= status < 300:
            load.fail(BenchError(f"answered {status}: {body[:300]!r}"))
            return
        load.units += self._units
        if now >= load.until:
            self._leave(now)
            return
        try:
            self._ask(self._script.send(body))
        except StopIteration:
            self._leave(now)
        except Exception as error:
            load.fail(error)

    def _failed(self, error: Exception) -> None:
        if not self._is_over and not self._load.over.is_set():
            self._load.fail(error)


def run(job: dict[str, Any]) -> Job:
    """Let `connections` run `script` for `seconds`."""
    connections = int(job["connections"])
    made = scripts(job["script"], job.get("arguments", {}), connections)
    gc.collect()
    cpu = time.process_time()

    async def main() -> Load:
        load = Load(float(job["seconds"]))
        await load.run(job, made)
        return load

    load = uvloop.run(main())
    return {
        "units": load.units,
        "requests": len(load.latencies),
        "seconds": load.seconds,
        "cpu_seconds": time.process_time() - cpu,
        "latency_ms": percentiles([1000 * seconds for seconds in load.latencies]),
    }


if __name__ == "__main__":
    gc.disable()
    work_off(run)
