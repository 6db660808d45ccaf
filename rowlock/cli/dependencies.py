"""`rowlock dependencies`: what a task depends on, or what depends on it."""

from rowlock.cli import options, render
from rowlock.cli.commands import Argument, Flag, command
from rowlock.cli.connection import connected
from rowlock.cli.table import show_table


@command(
    "dependencies",
    "Tasks",
    Argument("task_id", options.ID),
    Flag("--children", about="What depends on it."),
    options.AS_JSON,
    *options.SERVER,
)
def dependencies(
    *, task_id: int, children: bool, as_json: bool, url: str | None, token: str | None
) -> None:
    """Show what a task depends on."""
    with connected(url, token) as client:
        found = client.dependencies(task_id, direction="children" if children else "parents")
    if as_json:
        render.show_json(found)
        return
    rows = ((str(task.id), task.status, task.name, task.title) for task in found.tasks)
    show_table(("id", "status", "name", "title"), rows)
