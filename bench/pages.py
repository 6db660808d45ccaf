"""11. What the page for operators asks for by itself, over millions of tasks: each call of each
page, without a cache."""

import http.client
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Final

from bench import history
from bench.lists import Calls
from bench.page_calls import pages
from bench.result import BenchError, Result
from bench.session import Session
from bench.stack import Api, Site

MOST_MS: Final = 50
# `/stats` is computed once a second, for all who ask.
ROUND_SECONDS: Final = 1.1
SCHEDULES: Final = 100
WORKERS: Final = 200
STATUSES: Final = ("done", "failed", "to_do", "retrying", "in_progress", "paused", "cancelled")
QUEUES: Final = ("", "default", "mail", "reports", "seldom")
FIGURES: Final = {
    **{"submitted": 4711, "started": 4700, "done": 4600, "failed": 100, "retried": 90},
    **{f"{what}/{of}": 100 for what in ("wait", "run") for of in range(20, 60)},
}


def run(session: Session) -> list[Result]:
    site, total = history.make(session), session.options.rows
    api = site.serve(redis=False)
    _furnish(site, api)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    looks = {
        (page, look.path): look
        for page, looks in pages(_tasks(site), yesterday).items()
        for look in looks
    }
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in looks}
    refused: list[str] = []
    calls = Calls(api)
    for number in range(session.options.rounds + 1):
        began = time.monotonic()
        for key, look in looks.items():
            ms, status = calls.take(look.path, 1)
            if number:  # the first time of each is nobody's
                taken[key] += ms
            if status != http.client.OK:
                refused.append(f"{look.path}: {status}")
        time.sleep(max(began + ROUND_SECONDS - time.monotonic(), 0))
    usual = {key: median(ms) for key, ms in taken.items()}
    slow = [f"{page}: {path}" for (page, path), ms in usual.items() if ms > MOST_MS]
    return [
        Result(
            name=f"11 · the calls of the page at {total:,}, the slowest",
            figure=max(usual.values()),
            unit="ms",
            target=f"≤ {MOST_MS} ms",
            ok=not slow and not refused,
            how=f"{len(looks)} calls that the pages make by themselves, one after the other, "
            f"{session.options.rounds} times, without a cache; of each call the median.",
            details={
                "slow": slow,
                "refused": refused,
                "calls": [
                    {"page": page, "call": path, "ms": round(ms, 1)}
                    for (page, path), ms in sorted(usual.items(), key=lambda one: -one[1])
                ],
            },
        )
    ]


def _tasks(site: Site) -> dict[str, int]:
    """One of each status."""
    found = {}
    for status in STATUSES:
        rows = site.rows(f"SELECT id FROM tasks WHERE status = '{status}' LIMIT 1")
        if rows:  # of few tasks not all have one
            found[status] = rows[0][0]
    return found


def _furnish(site: Site, api: Api) -> None:
    """Workers, schedules, and a history of as long as is kept."""
    task = {"title": "report", "queue": "reports"}
    for number in range(SCHEDULES):
        name = "hourly" if number == 0 else f"schedule-{number}"
        starts_at = (datetime.now(UTC) - timedelta(days=30)).isoformat()
        schedule = {"interval_seconds": 3600, "starts_at": starts_at, "task": task}
        _call(api, "PUT", f"/schedules/{name}", schedule)
    span = {"from": starts_at, "to": datetime.now(UTC).isoformat()}
    _call(api, "POST", "/schedules/hourly/backfill", span)
    for number in range(WORKERS):
        _call(api, "POST", "/leases", {"worker": f"idle-{number}", "queues": ["nothing"]})
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    kept = ((60, timedelta(minutes=1), 60), (3600, timedelta(hours=1), 14 * 24))
    connection = site.connect()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO history (queue, seconds, at, figures) VALUES (%s, %s, %s, %s)",
            [
                (queue, seconds, now.replace(minute=now.minute * (seconds == 60)) - step * n,
                 json.dumps(FIGURES))
                for queue in QUEUES for seconds, step, count in kept for n in range(count)
            ],
        )  # fmt: skip
    connection.close()


def _call(api: Api, method: str, path: str, document: Mapping[str, Any]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    headers = {"Content-Type": "application/json"}
    connection.request(method, path, json.dumps(document), headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise BenchError(f"{method} {path} was answered {answer.status}: {said[:300]!r}")
