"""Chains of tasks, each stored by the end of the one before, though workers are killed."""

import signal
from collections import Counter
from itertools import product

from rowlock import Client
from tests.acceptance.deployment import Deployment, until
from tests.acceptance.working import Work, count

CHAINS, STEPS, ROUNDS = 40, 6, 3


def test_each_step_is_there_once_though_workers_are_killed(
    deployment: Deployment, client: Client, work: Work
) -> None:
    deployment.schedule()
    client.submit_many(
        {"title": "step", "payload": [n, 1, STEPS], "retry_delay_seconds": 0, "retry_limit": 100}
        for n in range(CHAINS)
    )
    options = ("--concurrency", "4", "--lease-seconds", "5")
    handlers = ("--handlers", "tests.acceptance.handlers:worker")
    stays = work("stays", *options, *handlers)
    for number in range(ROUNDS):
        killed = work(f"killed-{number}", *options, *handlers)
        until(lambda worker=killed: len(worker.ran()) >= 2, "at work")  # type: ignore[misc]
        killed.child.kill()
    until(lambda: count(client, "done") == CHAINS * STEPS, "all done", 90)
    stays.signal(signal.SIGTERM)
    stays.ends()

    tasks = list(client.list(page_size=1000))
    found = Counter(tuple(task.payload[:2]) for task in tasks)
    assert found == Counter(product(range(CHAINS), range(1, STEPS + 1)))
