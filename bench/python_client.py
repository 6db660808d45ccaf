"""The SDK's clients, each in a process of its own, beside callers that cost next to nothing.

The client sends a key with each task, so that a call whose answer is lost can be sent again; the
server keeps it. So there are two references: with a key for each task, and without.
"""

from typing import Final, NamedTuple

from bench.remote import Remote
from bench.result import Result, Run, details, interleave, rate, ratio
from bench.session import Session
from bench.stack import Api

CALLERS: Final = 32


class _Pair(NamedTuple):
    name: str
    client: str
    reference: str
    least: float | None
    how: str


_ASYNC: Final = f"{CALLERS} callers of one client, one task a call, which may go together"
_GENERATOR: Final = f"the load generator with {CALLERS} connections and one `POST /tasks` a task"
_BLOCKING: Final = "one caller, one task a call"
_HAND: Final = "`http.client` and `json`, by hand"
_PAIRS: Final = (
    _Pair("14 · `AsyncClient`, against the same with keys", "asyncio", "generator, keyed", None,
          f"{_ASYNC}; the reference is {_GENERATOR}, each with a key as the client sends it."),
    _Pair("14b · `AsyncClient`, against none with keys", "asyncio", "generator", 1.0,
          f"{_ASYNC}; the reference is {_GENERATOR}."),
    _Pair("15 · `Client`, against the same with keys", "blocking", "by hand, keyed", None,
          f"{_BLOCKING}; the reference is {_HAND}, each with a key as the client sends it."),
    _Pair("15b · `Client`, against none with keys", "blocking", "by hand", 0.9,
          f"{_BLOCKING}; the reference is {_HAND}."),
)  # fmt: skip


def run(session: Session) -> list[Result]:
    seconds = session.options.seconds
    with session.site("python_client") as site, Remote("bench.submitter") as submitter:
        api = site.serve()
        session.warm_up(api, "submit", CALLERS)

        def submitted(kind: str, callers: int = 1) -> Run:
            return _submitted(submitter, api, kind, callers, seconds)

        measures = {
            "asyncio": lambda: submitted("asyncio", CALLERS),
            "generator, keyed": lambda: session.load(api, "submit_once", CALLERS),
            "generator": lambda: session.load(api, "submit", CALLERS),
            "blocking": lambda: submitted("blocking"),
            "by hand, keyed": lambda: submitted("by hand, keyed"),
            "by hand": lambda: submitted("by hand"),
        }
        interleave(1, measures)  # to warm up
        runs = interleave(session.options.rounds, measures)
    return [
        Result(
            name=pair.name,
            figure=rate(runs[pair.client]),
            unit="tasks/s",
            reference=rate(runs[pair.reference]),
            ratio=(found := ratio(runs[pair.client], runs[pair.reference])),
            target="–" if pair.least is None else f"≥ {pair.least:.1f}",
            ok=None if pair.least is None else found >= pair.least,
            how=pair.how,
            details=details({name: runs[name] for name in (pair.client, pair.reference)}),
        )
        for pair in _PAIRS
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
