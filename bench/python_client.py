"""The SDK's clients, each in a process of its own, beside callers that cost next to nothing."""

from typing import Final

from bench.remote import Remote
from bench.result import Result, Run, details, interleave, rate, ratio
from bench.session import Session
from bench.stack import Api

CALLERS: Final = 32
ASYNC_LEAST: Final = 1.0
BLOCKING_LEAST: Final = 0.9


def run(session: Session) -> list[Result]:
    seconds = session.options.seconds
    with session.site("python_client") as site, Remote("bench.submitter") as submitter:
        api = site.serve()
        session.warm_up(api, "submit", CALLERS)

        def submitted(kind: str, callers: int = 1) -> Run:
            return _submitted(submitter, api, kind, callers, seconds)

        measures = {
            "AsyncClient": lambda: submitted("asyncio", CALLERS),
            "load generator": lambda: session.load(api, "submit", CALLERS),
            "Client": lambda: submitted("blocking"),
            "http.client": lambda: submitted("by hand"),
        }
        interleave(1, measures)  # to warm up
        runs = interleave(session.options.rounds, measures)
    pairs = [
        ("AsyncClient", "load generator", ASYNC_LEAST),
        ("Client", "http.client", BLOCKING_LEAST),
    ]
    hows = [
        f"{CALLERS} callers of one client, one task a call, which may go together; the reference "
        f"is the load generator with {CALLERS} connections and one `POST /tasks` a task.",
        "one caller, one task a call; the reference is `http.client` and `json`, by hand.",
    ]
    return [
        Result(
            name=f"14{letter} · submit by `{client}`",
            figure=rate(runs[client]),
            unit="tasks/s",
            reference=rate(runs[other]),
            ratio=ratio(runs[client], runs[other]),
            target=f"≥ {least:.1f}",
            ok=ratio(runs[client], runs[other]) >= least,
            how=how,
            details=details({name: runs[name] for name in (client, other)}),
        )
        for letter, (client, other, least), how in zip(("", "b"), pairs, hows, strict=True)
    ]


def _submitted(submitter: Remote, api: Api, kind: str, callers: int, seconds: float) -> Run:
    job = {"kind": kind, "url": api.url, "callers": callers, "seconds": seconds}
    outcome = submitter.call(job)
    units = max(outcome["units"], 1)
    return Run(
        outcome["units"],
        outcome["units"] / outcome["seconds"],
        cpu_us={"client": 1e6 * outcome["cpu_seconds"] / units},
    )
