"""What the page for operators asks for by itself, page by page, and how often: as `web/src` has
it."""

from collections.abc import Mapping
from math import inf
from typing import Final, NamedTuple


class Look(NamedTuple):
    """One call; `every_seconds` is the least time between two, 0: as often as the person wants."""

    path: str
    every_seconds: float = 0


OVERVIEW: Final = (
    Look("/stats?limit=1000"),
    Look("/readyz", 15),
    Look("/stats/history?minutes=60", 60),
    *(Look("/admin/workers?limit=1000", 30), Look("/admin/processes", 30)),
    Look("/admin/doctor", 120),
)
TASKS: Final = (Look("/tasks?limit=50&view=summary"), Look("/tasks/count", 15))

# Of the line of a queue.
HEAD: Final = "status=to_do&status=retrying&priority=%E4%B8%AD&order=asc&view=summary&limit=50"


def pages(tasks: Mapping[str, int], day: str) -> dict[str, tuple[Look, ...]]:
    """By their names. `tasks` has one of each status; `day` is a time not long ago.

    What no index finds (a title, and a worker's tasks but for those that run) is asked for by a
    person alone: it may take until MySQL cuts it off.
    """
    filters = (
        *("status=failed", "status=to_do&status=retrying", "queue=mail", "queue=mail&status=done"),
        *("priority=low", "tag=tag-0001", "tag=tag-0030&status=failed"),
        *(
            f"created_after={day}",
            f"queue=mail&created_after={day}",
            "status=in_progress&worker=host-7",
        ),
    )
    return {
        "all": (Look("/me"),),
        "overview": OVERVIEW,
        "queues": (
            *(Look("/stats?limit=200"), Look("/stats?queue=mail")),
            *(Look("/stats/history?queue=mail&minutes=60"), Look("/admin/queues/mail/settings")),
            Look("/admin/queues/mail/groups?waiting=true&limit=20"),
            Look("/stats/history?queue=mail&minutes=20160"),
            *(Look("/admin/workers?queue=mail"), Look(f"/tasks?queue=mail&{HEAD}")),
            *(Look(f"/tasks/{tasks[status]}/why", 20) for status in ("to_do",) if status in tasks),
        ),
        "tasks": (
            *TASKS,
            *(Look(f"/tasks?limit=50&view=summary&{wanted}") for wanted in filters),
            *(Look(f"/tasks/count?{wanted}") for wanted in filters),
            # Once, of a tag and more.
            Look("/tasks/cost?limit=50&tag=tag-0030&status=failed", inf),
        ),
        "task": tuple(
            Look(f"/tasks/{task_id}{part}")
            for task_id in tasks.values()
            for part in ("", "/why", "/attempts?limit=100")
        ),
        "workers": (Look("/admin/workers"), Look("/admin/workers/idle-0")),
        "schedules": (
            *(Look("/schedules?limit=100"), Look("/schedules/hourly")),
            *(Look("/schedules/hourly/next?count=10"), Look("/schedules/hourly/runs?limit=50")),
        ),
        "system": (Look("/admin/doctor", 15), Look("/admin/processes")),
    }
