"""18. A flow of 10,000 tasks for which one waits, against as many for which nobody does.

What dependencies cost tasks that have none is in `submit` and `cycle`.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.request import Request, urlopen

from bench.remote import Remote
from bench.result import BenchError, Result, Run, details, interleave, rate, ratio
from bench.scripts import task
from bench.session import Session
from bench.stack import Api, Site

MEMBERS: Final = 10_000
BATCH: Final = 1000
# Of each of the two processes.
CONNECTIONS: Final = 16
# By then all are done, or something is wrong.
SECONDS: Final = 120.0
LEAST: Final = 0.8


def run(session: Session) -> list[Result]:
    with (
        session.site("dependencies") as site,
        Remote("bench.load") as one,
        Remote("bench.load") as two,
    ):
        by = [(one, site.serve()), (two, site.serve())]

        def through(*, is_flow: bool) -> Run:
            api = by[0][1]
            callback = _callback(api) if is_flow else None
            _submit(api, callback)
            found = _worked_off(by)
            _check(site, callback)
            return found

        runs = interleave(
            # One more, to warm up.
            session.options.rounds + 1,
            {"flow": lambda: through(is_flow=True), "alone": lambda: through(is_flow=False)},
        )
    runs = {name: of[1:] for name, of in runs.items()}
    found = ratio(runs["flow"], runs["alone"])
    return [
        Result(
            name=f"18 · {MEMBERS:,} tasks for which one waits",
            figure=rate(runs["flow"]),
            unit="tasks/s",
            reference=rate(runs["alone"]),
            ratio=found,
            target=f"≥ {LEAST}",
            ok=found >= LEAST,
            how=f"two API processes, {CONNECTIONS} connections each, a call to claim and a call to "
            "complete, until all are done; each completion counts down what the last task waits "
            "for. The reference is the same tasks without it.",
            details=details(runs),
        )
    ]


def _callback(api: Api) -> int:
    """A task that waits for one that nobody claims, and for those that are added."""
    kept = _post(api, "/tasks", task(0, "kept"))["id"]
    return int(_post(api, "/tasks", task(0, "kept") | {"depends_on": [kept]})["id"])


def _submit(api: Api, callback: int | None) -> None:
    blocks = {} if callback is None else {"blocks": [callback]}
    tasks = [task(number) | blocks for number in range(BATCH)]
    for _ in range(MEMBERS // BATCH):
        _post(api, "/tasks/batch", {"tasks": tasks})


def _worked_off(by: list[tuple[Remote, Api]]) -> Run:
    for generator, api in by:
        job = {"port": api.port, "script": "work_off", "connections": CONNECTIONS}
        generator.send({**job, "seconds": SECONDS})
    outcomes = [generator.receive() for generator, _ in by]
    units = sum(outcome["units"] for outcome in outcomes)
    if units != MEMBERS:
        raise BenchError(f"{units} of {MEMBERS} were done")
    return Run(units, units / max(outcome["seconds"] for outcome in outcomes))


def _check(site: Site, callback: int | None) -> None:
    if callback is None:
        return
    unmet = site.value(f"SELECT unmet FROM task_waits WHERE task_id = {callback}")
    if unmet != 1:
        raise BenchError(f"the last one waits for {unmet}, not for the one that is kept")


def _post(api: Api, path: str, body: Mapping[str, Any]) -> Any:
    request = Request(f"{api.url}{path}", json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)
