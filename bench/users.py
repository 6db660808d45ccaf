"""The light ones against a running server, for those who have one: what does it do in a second?

Works in a queue of its own, and deletes what it has submitted.
"""

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from bench.remote import Remote
from bench.result import BenchError, Result

QUEUE: Final = "rowlock-bench"
# Name, script, connections, its arguments, and whether it is a worker's.
STEPS: Final[Sequence[tuple[str, str, int, dict[str, int], bool]]] = (
    ("POST /tasks/batch, 500 a call", "submit_many", 4, {"size": 500}, False),
    ("POST /tasks", "submit", 32, {}, False),
    ("GET /tasks/{id}, hot", "get", 32, {}, False),
    ("claim + complete, one by one", "cycle", 32, {}, True),
    ("finish + claim in one call", "finish_and_claim", 32, {}, True),
    ("claim 100 + finish 100", "cycle_many", 4, {"size": 100}, True),
)
PAGE: Final = 1000


class Server:
    """A server somewhere, and the tokens of two of its doors."""

    def __init__(self, url: str, client_token: str | None, worker_token: str | None) -> None:
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        self._url = url.rstrip("/")
        self._place = {
            "port": parts.port or (443 if is_tls else 80),
            "elsewhere": {"host": parts.hostname, "with_tls": is_tls},
        }
        self._host = f"Host: {parts.netloc}\r\n"
        self._tokens = {False: client_token, True: worker_token}

    def job(self, script: str, *, is_worker: bool, **more: Any) -> dict[str, Any]:
        """A job for the load generator."""
        token = self._tokens[is_worker]
        headers = self._host + (f"Authorization: Bearer {token}\r\n" if token else "")
        return {**self._place, "headers": headers, "script": script, **more}

    def ids(self) -> list[int]:
        """A page of tasks in our queue."""
        request = Request(f"{self._url}/tasks?queue={QUEUE}&limit={PAGE}")
        if token := self._tokens[False]:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urlopen(request, timeout=30) as answer:
                return [task["id"] for task in json.load(answer)]
        except URLError as error:
            raise BenchError(f"cannot connect to {self._url}: {error}") from error


def run(
    url: str,
    *,
    client_token: str | None = None,
    worker_token: str | None = None,
    seconds: float = 2.0,
) -> list[Result]:
    """What the server does in a second. Raises `BenchError` where it cannot be measured."""
    server = Server(url, client_token, worker_token)
    server.ids()
    results = []
    with Remote("bench.load") as generator:
        try:
            for name, script, connections, arguments, is_worker in STEPS:
                job = server.job(
                    script,
                    is_worker=is_worker,
                    connections=connections,
                    seconds=seconds,
                    arguments=_arguments(server, script, arguments),
                )
                results.append(_result(name, connections, generator.call(job)))
        finally:
            _tidy_up(server, generator)
    return results


def _arguments(server: Server, script: str, arguments: dict[str, int]) -> dict[str, Any]:
    if script != "get":
        return {**arguments, "queue": QUEUE}
    newest = max(server.ids())
    return {"first": newest, "last": newest}


def _result(name: str, connections: int, outcome: dict[str, Any]) -> Result:
    latency = outcome["latency_ms"]
    return Result(
        name=name,
        figure=outcome["units"] / outcome["seconds"],
        unit="/s",
        target=f"p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms",
        ok=None,
        how=f"{connections} connections.",
        details=latency,
    )


def _tidy_up(server: Server, generator: Remote) -> None:
    while ids := server.ids():
        generator.call(
            server.job(
                "delete", is_worker=False, connections=16, seconds=60, arguments={"ids": ids}
            )
        )
