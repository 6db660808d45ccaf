"""`rowlock why`: what a task waits for."""

from rowlock.cli import options, render
from rowlock.cli.commands import command
from rowlock.cli.connection import connected
from rowlock.models import Why
from rowlock.printable import harmless


@command("why", "Tasks", options.IDS, options.AS_JSON, *options.SERVER)
def why(*, ids: list[int], as_json: bool, url: str | None, token: str | None) -> None:
    """Explain what a task waits for."""
    with connected(url, token) as client:
        for task_id in ids:
            found = client.why(task_id)
            if as_json:
                render.show_json(found.model_dump(exclude_unset=True))
            else:
                _show(task_id, found)


def _show(task_id: int, found: Why) -> None:
    print(f"Task {task_id} is {harmless(found.status)}.")
    for reason in found.reasons:
        print(f"- {harmless(reason.detail)}")
