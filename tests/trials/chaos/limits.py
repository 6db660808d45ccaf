"""Many groups, of each of which only so many run, and small flows among them, while things fail."""

import random
import threading
import time
from typing import Any, Final

import httpx
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tests.trials.chaos.checks import Check

CALL_SECONDS: Final = 15.0
QUEUES: Final = {f"limited-{running}": running for running in (1, 2, 3, 5)}
GROUPS: Final = 50
# A quarter of the queues' groups at once.
QUEUE_RUNS: Final = 12
RUNNING: Final = (
    "SELECT queue, group_key, COUNT(*) FROM tasks "
    "WHERE status = 'in_progress' AND queue LIKE 'limited-%' GROUP BY queue, group_key"
)
# One statement, and so one snapshot: by the groups, and by the tasks.
FIGURES: Final = """
SELECT queue, group_key, SUM(held), SUM(waiting) FROM (
SELECT queue, group_key, held, waiting FROM task_groups UNION ALL
SELECT queue, group_key, -(flags & 8 > 0), 0 FROM tasks WHERE flags & 4 UNION ALL
SELECT queue, '', -(flags & 32 > 0), 0 FROM tasks WHERE flags & 16 UNION ALL
SELECT queue, group_key, 0, -1 FROM group_waits JOIN task_groups ON id = group_id
) AS counted GROUP BY queue, group_key HAVING SUM(held) <> 0 OR SUM(waiting) <> 0
"""
LEFT: Final = (
    "SELECT (SELECT COUNT(*) FROM task_groups WHERE held <> 0 OR waiting <> 0), "
    "(SELECT COUNT(*) FROM group_waits), (SELECT COUNT(*) FROM task_waits)"
)


class Limits(threading.Thread):
    """Sets the limits, submits tasks and small flows, and looks how many run, until told to
    stop."""

    def __init__(self, seed: int, urls: list[str], engine: Engine) -> None:
        super().__init__(name="limits")
        self._random = random.Random(f"{seed} limits")
        self._urls = urls
        self._engine = engine
        self._http = httpx.Client(timeout=CALL_SECONDS)
        self._count = 0
        self.looked_at = 0
        self.broken: list[str] = []
        self.stopping = threading.Event()

    def begin(self) -> None:
        """Before anything fails."""
        for queue, running in QUEUES.items():
            limits = {"running_per_group": running, "running": QUEUE_RUNS}
            url = f"{self._urls[0]}/admin/queues/{queue}/settings"
            httpx.put(url, json=limits).raise_for_status()
        time.sleep(2)  # until each process goes by them

    def run(self) -> None:
        with self._http:
            while not self.stopping.wait(self._random.uniform(0, 0.1)):
                self._submit()
                try:
                    with self._engine.connect() as connection:
                        self._look(connection)
                except DBAPIError:
                    time.sleep(0.1)

    def _submit(self) -> None:
        self._count += 1
        queue = self._random.choice([*QUEUES])
        tasks: list[dict[str, Any]] = []
        for number in range(self._random.randint(1, 4)):
            task: dict[str, Any] = {
                **{"title": f"limited-{self._count}-{number}", "ref": str(number)},
                **{"timeout_seconds": 3, "retry_delay_seconds": 1, "retry_limit": 2},
                "group": f"group-{self._random.randrange(GROUPS)}",
                "priority": self._random.choice("高中低"),
                "queue": queue,
            }
            if number and self._random.random() < 0.5:
                task["depends_on"] = [str(self._random.randrange(number))]
                task["on_parent_failure"] = self._random.choice(["cancel", "run"])
            tasks.append(task)
        headers = {"Idempotency-Key": f"limited-{self._count}"}
        url = f"{self._random.choice(self._urls)}/tasks/batch"
        try:
            answer = self._http.post(url, json={"tasks": tasks}, headers=headers)
        except httpx.HTTPError:
            return
        if answer.status_code not in (200, 201, 503):
            self.broken.append(f"POST /tasks/batch: {answer.status_code} {answer.text}")

    def _look(self, connection: Connection) -> None:
        running = connection.execute(text(RUNNING)).all()
        self.looked_at += 1
        for queue, group, count in running:
            if count > QUEUES[queue]:
                self.broken.append(f"{queue} {group}: {count} run at once")
        for queue in QUEUES:
            if (count := sum(n for of, _, n in running if of == queue)) > QUEUE_RUNS:
                self.broken.append(f"{queue}: {count} run at once")
        if wrong := connection.execute(text(FIGURES)).all():
            self.broken.append(f"slots and lines differ from the tasks: {wrong}")


def checked(limits: Limits, connection: Connection, repaired: int) -> list[Check]:
    """At every look, and that nothing is left, nor anything to be set right."""
    left = tuple(connection.execute(text(LEFT)).one())
    return [
        Check("no group has more running than it may", limits.looked_at, limits.broken),
        Check(
            "no slot, wait or place in line is left, and the audit finds nothing",
            1,
            [f"left: {left}, set right: {repaired}"] if any(left) or repaired else [],
        ),
    ]
