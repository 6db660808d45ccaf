"""19. Tasks of queues with limits, against the same tasks without: 1,000 groups whose slots are
free, 1,000 groups of which each task hands its slot on, and a limit for the queue as a whole.

What limits cost queues that have none is in `submit` and `cycle`.
"""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.request import Request, urlopen

import uvloop

from bench.pickup import pick_up
from bench.remote import Remote
from bench.result import BenchError, Result, Run, details, interleave, percentiles, rate, ratio
from bench.scripts import task
from bench.session import Session
from bench.stack import Api

TASKS: Final = 10_000
GROUPS: Final = 1000
BATCH: Final = 1000
CONNECTIONS: Final = 64
# By then all are done, or something is wrong.
SECONDS: Final = 120.0
IN_FORCE_SECONDS: Final = 1.5
BACKLOG: Final = 100_000
BEHIND_TIMES: Final = 1.3
ALONE: Final = "no limits"
CASES: Final[Mapping[str, tuple[Mapping[str, int], float, str]]] = {
    "slots free": ({"running_per_group": 100}, 0.6, f"{GROUPS:,} groups, each of 100 slots"),
    "contended": ({"running_per_group": 3}, 0.4, f"{GROUPS:,} groups, each of 3 slots"),
    "queue": ({"running": 100}, 0.4, "100 slots for all together"),
}


def run(session: Session) -> list[Result]:
    return [*_throughput(session), _behind(session)]


def _behind(session: Session) -> Result:
    """What a task of one group waits for behind very many of another one."""
    seconds = max(session.options.seconds, 1.0)
    with session.site("behind") as site:
        api = site.serve()
        _call(api, "PUT", "/admin/queues/limited/settings", {"running_per_group": 1})
        time.sleep(IN_FORCE_SECONDS)
        tasks = [task(n, "limited") | {"group": "a"} for n in range(BATCH)]
        for _ in range(BACKLOG // BATCH):
            _call(api, "POST", "/tasks/batch", {"tasks": tasks})
        claim = {"worker": "w", "queues": ["limited"], "limit": 10}
        (_,) = _call(api, "POST", "/leases", claim)  # the only one that may run
        samples: dict[str, list[float]] = {"empty": [], "limited": []}
        for number in range(session.options.rounds + 1):
            for queue, times in samples.items():
                found = uvloop.run(pick_up(api, api, seconds, queue=queue, group="b"))
                if number:  # the first round warms up
                    times.extend(found)
    spread = {name: percentiles(times) for name, times in samples.items()}
    found_ratio = spread["limited"]["p50"] / spread["empty"]["p50"]
    return Result(
        name=f"19 · pick-up behind {BACKLOG:,} of another group, p50",
        figure=spread["limited"]["p50"],
        unit="ms",
        reference=spread["empty"]["p50"],
        ratio=found_ratio,
        target=f"≤ {BEHIND_TIMES} ×",
        ok=found_ratio <= BEHIND_TIMES,
        how=f"each group has one slot; {BACKLOG:,} tasks of one wait, and a worker waits for tasks "
        "of another. The reference is the same in a queue that is empty.",
        details=spread,
    )


def _throughput(session: Session) -> list[Result]:
    with session.site("groups") as site, Remote("bench.load") as generator:
        api = site.serve()

        def through(settings: Mapping[str, int]) -> Run:
            _call(api, "PUT", "/admin/queues/default/settings", settings)
            time.sleep(IN_FORCE_SECONDS)
            _submit(api, has_groups="running" not in settings)
            return _worked_off(api, generator)

        of: dict[str, Mapping[str, int]] = {ALONE: {}} | {n: case[0] for n, case in CASES.items()}
        runs = interleave(
            # One more, to warm up.
            session.options.rounds + 1,
            {name: partial(through, settings) for name, settings in of.items()},
        )
    runs = {name: of[1:] for name, of in runs.items()}
    return [
        Result(
            name=f"19 · limits, {name}",
            figure=rate(runs[name]),
            unit="tasks/s",
            reference=rate(runs[ALONE]),
            ratio=(found := ratio(runs[name], runs[ALONE])),
            target=f"≥ {least}",
            ok=found >= least,
            how=f"{TASKS:,} tasks; {what}. {CONNECTIONS} connections, a call to claim and a call "
            "to complete, until all are done. The reference is the same without limits.",
            details=details({name: runs[name], ALONE: runs[ALONE]}),
        )
        for name, (_, least, what) in CASES.items()
    ]


def _submit(api: Api, *, has_groups: bool) -> None:
    for begin in range(0, TASKS, BATCH):
        numbers = range(begin, begin + BATCH)
        tasks = [
            task(n) | ({"group": f"customer-{n % GROUPS}"} if has_groups else {}) for n in numbers
        ]
        _call(api, "POST", "/tasks/batch", {"tasks": tasks})


def _worked_off(api: Api, generator: Remote) -> Run:
    job = {"port": api.port, "script": "work_off", "connections": CONNECTIONS}
    generator.send({**job, "seconds": SECONDS})
    outcome = generator.receive()
    if outcome["units"] != TASKS:
        raise BenchError(f"{outcome['units']} of {TASKS} were done")
    return Run(outcome["units"], outcome["units"] / outcome["seconds"])


def _call(api: Api, method: str, path: str, body: Mapping[str, Any]) -> Any:
    request = Request(f"{api.url}{path}", json.dumps(body).encode(), method=method)
    request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)
