"""What every benchmark works with: the servers of this run, and the load generator."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from bench.proc import cpu_seconds
from bench.remote import Remote
from bench.result import Run
from bench.stack import Api, Reference, Site, Stack

WARM_UP_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Options:
    """How long, how often, how many."""

    rounds: int = 5
    seconds: float = 2.5
    # Tasks that have ended already, where a benchmark is about many.
    rows: int = 10_000_000
    home: Path | None = None


class Session:
    """One run of some benchmarks."""

    def __init__(self, options: Options, *, is_large: bool) -> None:
        self.options = options
        self._parts = ExitStack()
        self.stack = Stack(is_large=is_large, home=options.home)
        # Made by the first benchmark that needs it (`bench.history`).
        self.history: Site | None = None

    def __enter__(self) -> Self:
        self._parts.enter_context(self.stack)
        self._generator = self._parts.enter_context(Remote("bench.load"))
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.close()

    def site(self, name: str) -> Any:
        """A database for a benchmark (a context manager)."""
        return self.stack.site(name)

    def keep(self, name: str) -> Site:
        """A database for several, until the end of the run."""
        return self._parts.enter_context(self.stack.site(name))

    @contextmanager
    def reference(self) -> Iterator[Reference]:
        """The plain FastAPI application."""
        reference = Reference(self.stack.logs)
        try:
            yield reference
        finally:
            reference.stop()

    def load(
        self,
        server: Api | Reference,
        script: str,
        connections: int,
        *,
        seconds: float | None = None,
        **arguments: Any,
    ) -> Run:
        """Let `connections` go through `script` as fast as they are answered."""
        pids = self._watched(server)
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        outcome = self._generator.call(
            {
                "port": server.port,
                "script": script,
                "connections": connections,
                "seconds": seconds or self.options.seconds,
                "arguments": arguments,
            }
        )
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        used["load generator"] = outcome["cpu_seconds"]
        units = max(outcome["units"], 1)
        return Run(
            outcome["units"],
            outcome["units"] / outcome["seconds"],
            outcome["latency_ms"],
            {name: 1e6 * seconds / units for name, seconds in used.items()},
        )

    def warm_up(
        self, server: Api | Reference, script: str, connections: int, **arguments: Any
    ) -> None:
        """The first second is nobody's."""
        seconds = min(WARM_UP_SECONDS, self.options.seconds)
        self.load(server, script, connections, seconds=seconds, **arguments)

    def _watched(self, server: Api | Reference) -> Mapping[str, int]:
        if isinstance(server, Reference):
            return {"reference": server.pid}
        return {
            "api": server.pid,
            "mysql": self.stack.mysql.pid,
            "valkey": self.stack.valkey.pid,
        }
