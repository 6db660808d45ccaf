"""A client and worker as they should be, whose calls are all to be answered in time."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import httpx

CALL_SECONDS = 10.0
PAUSE_SECONDS = 0.02


class Served(NamedTuple):
    """How it went for a while."""

    latencies_ms: Sequence[float]
    refused: Mapping[str, int]

    def percentile(self, percent: float) -> float:
        """Of the latencies; connecting counts."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Honest(threading.Thread):
    """Submits, reads, lists, claims and completes, over and over: on a connection that it keeps,
    and on a new one."""

    def __init__(
        self,
        url: str,
        client: dict[str, str],
        worker: dict[str, str],
        verify: ssl.SSLContext,
    ) -> None:
        super().__init__(name="honest", daemon=True)
        self._url = url
        self._verify = verify
        self._client, self._worker = client, worker
        self._latencies_ms: list[float] = []
        self._refused: Counter[str] = Counter()
        self.stopping = threading.Event()

    def run(self) -> None:
        with self._connection() as kept:
            while not self.stopping.wait(PAUSE_SECONDS):
                self._work(kept)
                with self._connection() as fresh:
                    self._work(fresh)

    def served(self) -> Served:
        """Since this was asked before."""
        latencies, self._latencies_ms = self._latencies_ms, []
        refused, self._refused = self._refused, Counter()
        return Served(latencies, refused)

    def _connection(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, timeout=CALL_SECONDS, verify=self._verify)

    def _work(self, http: httpx.Client) -> None:
        # So long that it is among the large ones.
        task = {"title": "honest", "queue": "honest", "payload": "x" * 20_000}
        submitted = self._call(http, "POST", "/tasks", self._client, task)
        if submitted is not None:
            self._call(http, "GET", f"/tasks/{submitted['id']}", self._client)
        self._call(http, "GET", "/tasks?queue=honest&limit=10", self._client)
        claim = {"worker": "honest", "queues": ["honest"], "limit": 5}
        for lease in self._call(http, "POST", "/leases", self._worker, claim) or ():
            path = f"/leases/{lease['lease_id']}/complete"
            self._call(http, "POST", path, self._worker, {"result": 1})

    def _call(
        self, http: httpx.Client, method: str, path: str, token: dict[str, str], body: Any = None
    ) -> Any:
        began = time.monotonic()
        named = f"{method} {path.split('?', maxsplit=1)[0][:8]}"
        try:
            answer = http.request(method, path, headers=token, json=body)
            if answer.is_success:
                return answer.json()
            self._refused[f"{named} {answer.status_code}"] += 1
        except httpx.HTTPError as error:
            self._refused[f"{named} {type(error).__name__}"] += 1
        finally:
            self._latencies_ms.append(1000 * (time.monotonic() - began))
        return None
