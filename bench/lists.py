"""9. `GET /tasks` over millions of tasks of realistic skew: each filter alone and every pair, the
first page and one from the middle. And `title`, which may scan; and /stats and /tags."""

import http.client
import time
from array import array
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import uvloop

from app.mysql.database import Database
from app.queue.lists.pages import Page, Position
from bench import history
from bench.explain import look
from bench.list_cases import Case, cases
from bench.result import Result, percentiles
from bench.session import Session
from bench.stack import Api, Site

MOST_MS: Final = 50
TITLE_MOST_MS: Final = 2_200
# What has taken this long once is slow, and not asked for again.
SLOW_MS: Final = 500
WORST: Final = 10
# More rows read than this share of the table is a full scan, whatever it is called.
SCAN_SHARE: Final = 0.1
TITLE: Final = Case("a title that is nowhere", (("title", "no such title"),))


class Calls:
    """One connection to an API without a cache."""

    def __init__(self, api: Api) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)

    def take(self, path: str, times: int) -> tuple[list[float], int]:
        """Milliseconds of each call, and the status of the last one."""
        # The server hangs up on those who say nothing for a while.
        self._connection.close()
        self._connection.connect()
        taken: list[float] = []
        status = 0
        while len(taken) < times and status in (0, 200) and (not taken or taken[-1] < SLOW_MS):
            began = time.perf_counter()
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            answer.read()
            taken.append(1000 * (time.perf_counter() - began))
            status = answer.status
        return taken, status


def run(session: Session) -> list[Result]:
    site, total = history.make(session), session.options.rows
    api = site.serve(redis=False)
    calls, times = Calls(api), session.options.rounds
    calls.take("/tasks", times)
    asked = cases(total)
    middle = Position(*site.rows(f"SELECT created_at, id FROM tasks WHERE id = {total // 2}")[0])
    measured = [
        (case, page, *calls.take(case.path(after), times))
        for case in asked
        for page, after in (("first", None), ("middle", middle))
    ]
    looks = uvloop.run(_look_at(site, asked, middle))
    title_ms, title_status = calls.take(TITLE.path(), 1)
    # What `/stats` computes once a second, for each call.
    asked_of = {"/stats": "/admin/queues", "/tags": "/tags"}
    figures = {path: calls.take(asked, times) for path, asked in asked_of.items()}
    return [
        _lists(measured, looks, total),
        Result(
            name="9 · GET /tasks?title=… that is nowhere",
            figure=title_ms[0],
            unit="ms",
            target=f"cut off, ≤ {TITLE_MOST_MS:,} ms",
            ok=title_ms[0] <= TITLE_MOST_MS and title_status < 500,
            how=f"{total:,} tasks; it may scan, until MySQL cuts it off.",
            details={"status": title_status},
        ),
        *(
            Result(
                name=f"9 · GET {path}",
                figure=median(taken),
                unit="ms",
                target=f"≤ {MOST_MS} ms",
                ok=median(taken) <= MOST_MS and status == 200,
                how=f"{total:,} tasks, not cached.",
                details={"ms": [round(ms, 1) for ms in taken], "status": status},
            )
            for path, (taken, status) in figures.items()
        ),
    ]


def _lists(
    measured: Sequence[tuple[Case, str, list[float], int]], looks: list[dict[str, Any]], total: int
) -> Result:
    everything = array("d", (ms for _, _, taken, _ in measured for ms in taken))
    spread = percentiles(everything)
    slowest = sorted(measured, key=lambda one: -median(one[2]))
    scans = [
        one for one in looks if one["full scan"] or one["rows read"] > max(total * SCAN_SHARE, 1000)
    ]
    failures = [f"{case.label}, {page}: {status}" for case, page, _, status in measured
                if status != 200]  # fmt: skip
    return Result(
        name=f"9 · GET /tasks at {total:,}, p99",
        figure=spread["p99"],
        unit="ms",
        target=f"≤ {MOST_MS} ms, no full scan",
        ok=spread["p99"] <= MOST_MS and not scans and not failures,
        how=f"{len(measured)} lists of 50 tasks, {len(everything):,} calls one after the other, "
        "without a cache: each filter alone and every pair, with common and rare values, the "
        "first page and one from the middle.",
        details={
            **spread,
            "slow": sum(1 for _, _, taken, _ in measured if median(taken) > MOST_MS),
            "full scans": [one["list"] for one in scans],
            "failed": failures,
            "slowest": [
                {"list": case.label, "page": page, "ms": round(median(taken), 1)}
                for case, page, taken, _ in slowest[:WORST]
            ],
            "explain": looks,
        },
    )


async def _look_at(site: Site, asked: Sequence[Case], middle: Position) -> list[dict[str, Any]]:
    database = Database(site.settings)
    found = []
    for case in asked:
        first = await look(database, case.wanted, Page(51))
        later = await look(database, case.wanted, Page(51, after=middle))
        found.append(
            {
                "list": case.label,
                "plan": first.plan,
                "rows read": max(first.rows_read, later.rows_read),
                "full scan": first.has_full_scan or later.has_full_scan,
            }
        )
    await database.close()
    return found
