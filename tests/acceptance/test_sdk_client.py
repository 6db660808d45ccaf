"""The client on a real server that is stopped and started while it is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from rowlock import Client
from tests.acceptance.deployment import Api, Deployment, until


def test_callers_do_not_notice_a_restart_and_no_task_is_made_twice(
    deployment: Deployment, api: Api
) -> None:
    titles: Iterator[int] = count()
    made: list[int] = []
    is_over = False

    with Client(api.url, retry_seconds=60) as client, ThreadPoolExecutor(5) as callers:
        awaited = client.submit("awaited")
        made.append(awaited.id)
        waiting = callers.submit(client.wait, awaited.id, 60)

        def submit() -> None:
            while not is_over:
                made.append(client.submit(f"task {next(titles)}").id)

        submitters = [callers.submit(submit) for _ in range(4)]
        until(lambda: len(made) > 100, "under load")
        api.kill()
        deployment.serve(port=api.port)
        again = len(made) + 100
        until(lambda: len(made) > again, "under load again")
        is_over = True
        for submitter in submitters:
            submitter.result(timeout=30)
        client.admin.cancel(awaited.id)
        assert waiting.result(timeout=30).status == "cancelled"
        assert sorted(task.id for task in client.list(page_size=1000)) == sorted(made)
