"""3. Claim and complete, one task a call, against eight processes that do it by hand.

3b. The same by one call a task: finish the last, claim the next.
"""

from typing import Final

from bench.by_hand import Workers
from bench.result import Result, Run, details, interleave, rate, ratio
from bench.rows import keep_waiting
from bench.session import WARM_UP_SECONDS, Session
from bench.stack import Api, Site

CONNECTIONS: Final = 64
# More than the fastest of them gets done in one run.
ENOUGH_A_SECOND: Final = 12_000
TARGETS: Final = (
    ("3 · claim + complete, one by one", "cycle", 2.0, "a call to claim and a call to complete"),
    (
        "3b · finish + claim in one call",
        "finish_and_claim",
        3.5,
        "one `POST /leases/finish` a task",
    ),
)


def run(session: Session) -> list[Result]:
    seconds = session.options.seconds
    with session.site("cycle") as site, Workers(site) as workers:
        workers.fill(int(ENOUGH_A_SECOND / 3 * (seconds + 1) * (session.options.rounds + 1)))
        api = site.serve()
        workers.run(WARM_UP_SECONDS)
        for _, script, _, _ in TARGETS:
            _cycles(session, site, api, script, WARM_UP_SECONDS)
        runs = interleave(
            session.options.rounds,
            {
                "by hand": lambda: workers.run(seconds),
                "cycle": lambda: _cycles(session, site, api, "cycle", seconds),
                "finish_and_claim": lambda: _cycles(
                    session, site, api, "finish_and_claim", seconds
                ),
            },
        )
    return [
        Result(
            name=name,
            figure=rate(runs[script]),
            unit="tasks/s",
            reference=rate(runs["by hand"]),
            ratio=(found := ratio(runs[script], runs["by hand"])),
            target=f"≥ {least:.1f}",
            ok=found >= least,
            how=f"{CONNECTIONS} connections, {what}, over HTTP; the reference is eight processes "
            "with PyMySQL on the same server: SELECT … FOR UPDATE SKIP LOCKED LIMIT 1, UPDATE, "
            "COMMIT, UPDATE done, COMMIT.",
            details=details({script: runs[script], "by hand": runs["by hand"]}),
        )
        for name, script, least, what in TARGETS
    ]


def _cycles(session: Session, site: Site, api: Api, script: str, seconds: float) -> Run:
    keep_waiting(site, int(ENOUGH_A_SECOND * seconds))
    return session.load(api, script, CONNECTIONS, seconds=seconds)
