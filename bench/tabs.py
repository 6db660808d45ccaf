"""10. What open tabs of the page for operators take of the API's throughput: with ten of them and
without, in turns."""

from typing import Any, Final

from bench.page_calls import OVERVIEW, TASKS, Look
from bench.remote import Remote
from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import keep_waiting
from bench.session import Session
from bench.stack import Api, Site

TABS: Final = 10
REFRESH_SECONDS: Final = 2.0
LEAST: Final = 0.95
# More than the fastest gets done in a second.
ENOUGH_A_SECOND: Final = 12_000
# Script, connections, and what it is.
LOADS: Final = (
    ("submit", 32, "POST /tasks", "one task a call"),
    ("cycle", 64, "claim + complete", "one by one"),
)


class _Tabs:
    """Open while something else is measured."""

    def __init__(self, remote: Remote, api: Api) -> None:
        self._remote = remote
        self.api = api
        self.seen: list[dict[str, Any]] = []

    def open(self, seconds: float) -> None:
        pages = [OVERVIEW if number % 2 == 0 else TASKS for number in range(TABS)]
        self._remote.send(
            {
                "port": self.api.port,
                "seconds": seconds,
                "spread_seconds": REFRESH_SECONDS,
                "tabs": [[(look.path, _period(look)) for look in page] for page in pages],
            }
        )

    def close(self) -> None:
        self.seen.append(self._remote.receive())


def _period(look: Look) -> float:
    return max(look.every_seconds, REFRESH_SECONDS)


def run(session: Session) -> list[Result]:
    # Long enough that each tab has asked more than once.
    seconds = max(session.options.seconds, 2 * REFRESH_SECONDS)
    with session.site("tabs") as site, Remote("bench.tab") as remote:
        api = site.serve()
        site.schedule()
        return [_result(session, site, _Tabs(remote, api), load, seconds) for load in LOADS]


def _result(
    session: Session, site: Site, tabs: _Tabs, load: tuple[str, int, str, str], seconds: float
) -> Result:
    script, connections, name, what = load
    api = tabs.api

    def measure(*, is_with_tabs: bool) -> Run:
        if script == "cycle":
            keep_waiting(site, int(ENOUGH_A_SECOND * seconds))
        if is_with_tabs:
            tabs.open(seconds)
        run = session.load(api, script, connections, seconds=seconds)
        if is_with_tabs:
            tabs.close()
        return run

    if script == "cycle":
        keep_waiting(site, ENOUGH_A_SECOND)
    session.warm_up(api, script, connections)
    runs = interleave(
        session.options.rounds,
        {
            "with tabs": lambda: measure(is_with_tabs=True),
            "without": lambda: measure(is_with_tabs=False),
        },
    )
    found = ratio(runs["with tabs"], runs["without"])
    return Result(
        name=f"10 · {name} beside {TABS} open tabs",
        figure=rate(runs["with tabs"]),
        unit="tasks/s",
        reference=rate(runs["without"]),
        ratio=found,
        target=f"≥ {LEAST:.2f}",
        ok=found >= LEAST,
        how=f"{connections} connections, {what}; the reference is the same without tabs. Half of "
        "the tabs make the calls of the overview, half those of the list of tasks, anew every "
        f"{REFRESH_SECONDS:.0f} s as after a touch, each with the last answer's `ETag`.",
        details={**details(runs), "tabs, a run": tabs.seen},
    )
