"""11. Memory of one API process while a million tasks go through it."""

from typing import Any, Final

from bench.proc import resident_mib
from bench.result import Result
from bench.session import Session

CONNECTIONS, BATCH = 4, 500
STEP_SECONDS: Final = 5.0
MOST_MIB: Final = 150
# What counts as flat: growth over the second half, of all that is held.
MOST_GROWTH: Final = 0.03


def run(session: Session) -> list[Result]:
    tasks = session.options.rows // 10
    points: list[dict[str, Any]] = []
    with session.site("memory") as site:
        api = site.serve()
        done = 0
        while done < tasks:
            run = session.load(api, "mill", CONNECTIONS, seconds=STEP_SECONDS, size=BATCH)
            done += run.units
            points.append({"tasks": done, "mib": round(resident_mib(api.pid), 1)})
    half = next(p["mib"] for p in points if p["tasks"] >= tasks / 2)
    most, last = max(p["mib"] for p in points), points[-1]["mib"]
    growth = (last - half) / half
    return [
        Result(
            name=f"11 · memory after {tasks:,} tasks",
            figure=most,
            unit="MiB",
            reference=half,
            ratio=1 + growth,
            target=f"≤ {MOST_MIB} MiB, flat (≤ {1 + MOST_GROWTH:.2f} ×)",
            ok=most <= MOST_MIB and growth <= MOST_GROWTH,
            how=f"{CONNECTIONS} connections that submit {BATCH} tasks a call, and claim and "
            "finish them by 100; the most that the process held. The reference is what it held "
            "half-way, the ratio how much it held at the end of that.",
            details={"points": points},
        )
    ]
