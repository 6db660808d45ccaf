"""Tabs of the page for operators that are open: each makes its calls when they are due, with the
`ETag` of the last answer, as a browser does. Runs in a process of its own, `python -m bench.tab`.
"""

import http.client
import threading
import time
from collections.abc import Sequence
from typing import Any

from bench.remote import Job, work_off
from bench.result import BenchError


class Tab:
    """One, on one page: `looks` are its paths, each with the seconds between two calls."""

    def __init__(self, port: int, looks: Sequence[tuple[str, float]], begins_at: float) -> None:
        self.calls = 0
        self.unchanged = 0
        self.bytes = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._looks = [(path, seconds, begins_at) for path, seconds in looks]
        self._tags: dict[str, str] = {}

    def show(self, until: float) -> None:
        """Make each call when it is due, until that time."""
        while True:
            self._looks.sort(key=lambda look: look[2])
            path, seconds, due_at = self._looks[0]
            if due_at >= until:
                break
            time.sleep(max(due_at - time.monotonic(), 0))
            self._ask(path)
            # As the page: from the answer on.
            self._looks[0] = (path, seconds, time.monotonic() + seconds)
        self._connection.close()

    def _ask(self, path: str) -> None:
        headers = {"If-None-Match": self._tags[path]} if path in self._tags else {}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        self.bytes += len(answer.read())
        self.calls += 1
        self.unchanged += answer.status == http.client.NOT_MODIFIED
        if answer.status not in (http.client.OK, http.client.NOT_MODIFIED):
            raise BenchError(f"GET {path} was answered {answer.status}")
        if (tag := answer.getheader("ETag")) is not None:
            self._tags[path] = tag


def run(job: dict[str, Any]) -> Job:
    """Keep `tabs` open for `seconds`, their calls spread over the first `spread_seconds`."""
    cpu, began = time.process_time(), time.monotonic()
    each = job["spread_seconds"] / len(job["tabs"])
    tabs = [Tab(job["port"], looks, began + n * each) for n, looks in enumerate(job["tabs"])]
    failures: list[Exception] = []

    def show(tab: Tab) -> None:
        try:
            tab.show(began + job["seconds"])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=show, args=(tab,)) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return {
        "calls": sum(tab.calls for tab in tabs),
        "unchanged": sum(tab.unchanged for tab in tabs),
        "bytes": sum(tab.bytes for tab in tabs),
        "cpu_seconds": time.process_time() - cpu,
    }


if __name__ == "__main__":
    work_off(run)
