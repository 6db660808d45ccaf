"""`rowlock pause`, `resume`, `cancel`, `retry`, `delete`, for tasks or all that match; `queues`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from rowlock.cli import options, render
from rowlock.cli.bulk import OPTIONS, act_on_all
from rowlock.cli.commands import Argument, Command, Flag, Option, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.filters import FILTERS, filters_of
from rowlock.cli.table import show_table
from rowlock.cli.values import Text
from rowlock.client import calls
from rowlock.client.fields import BulkAction

_PANEL: Final = "Management"
_HELP: Final[dict[BulkAction, str]] = {
    "pause": "Pause tasks: they are not claimed until resumed.",
    "resume": "Resume paused tasks.",
    "cancel": "Cancel tasks; a worker that runs one is notified.",
    "retry": "Retry failed or cancelled tasks, with all their retries.",
    "delete": "Delete tasks in any state.",
}

# Which tasks around it one may take along.
_ALONG: Final[Mapping[str, str]] = {"retry": "descendants", "cancel": "ancestors"}
_ALONG_FLAGS: Final[Mapping[str, Sequence[Flag]]] = {
    "retry": [Flag("--descendants", to="along", about="Also what was cancelled for it.")],
    "cancel": [
        Flag(
            "--ancestors",
            to="along",
            about="Also what it depends on and nothing else waits for.",
        )
    ],
}


def _command(action: BulkAction) -> Command:
    def of_ids_or_of_all(
        *,
        ids: list[int],
        yes: bool,
        as_json: bool,
        dry_run: bool,
        expect_at_most: int | None,
        along: bool = False,
        url: str | None,
        token: str | None,
        **given: Any,
    ) -> None:
        filters = filters_of(given)
        if bool(ids) == bool(filters):
            fail("Name the tasks by their ids or by at least one filter, not both.", USAGE)
        if ids and (dry_run or expect_at_most is not None):
            fail("--dry-run and --expect-at-most need a filter.", USAGE)
        if filters and along:
            fail(f"--{_ALONG[action]} needs ids.", USAGE)
        with connected(url, token) as client:
            if filters:
                act_on_all(
                    client,
                    action,
                    filters,
                    expect_at_most=expect_at_most,
                    is_dry_run=dry_run,
                    yes=yes,
                    as_json=as_json,
                )
            for task_id in ids:
                if action == "delete":
                    client.delete(task_id)
                    continue
                task = client.ask(
                    calls.intervene(action, task_id, along=_ALONG[action] if along else None)
                )
                if as_json:
                    render.show_json(task)
                else:
                    print(f"task {task.id} is {task.status}")

    of_ids_or_of_all.__doc__ = (
        f"{_HELP[action]}\n\nName them by their ids or by filters. With filters, the number of "
        "tasks is shown for confirmation, and Ctrl-C stops after what is done."
    )
    some = Argument("ids", options.ID, is_many=True, is_required=False)
    more = (
        *_ALONG_FLAGS.get(action, ()),
        options.YES,
        options.AS_JSON,
        *OPTIONS,
        *FILTERS,
        *options.SERVER,
    )
    return command(action, _PANEL, some, *more)(of_ids_or_of_all)


pause, resume, cancel, retry, delete = map(_command, get_args(BulkAction))


@command(
    "queues",
    _PANEL,
    Option(
        "--pause",
        kind=Text("QUEUE"),
        is_many=True,
        about="Pause this queue; repeat for several.",
    ),
    Option(
        "--resume",
        kind=Text("QUEUE"),
        is_many=True,
        about="Resume this queue; repeat for several.",
    ),
    options.AS_JSON,
    *options.SERVER,
)
def queues(
    *, pause: list[str], resume: list[str], as_json: bool, url: str | None, token: str | None
) -> None:
    """Show, pause and resume queues."""
    with connected(url, token) as client:
        for name in pause:
            client.admin.pause_queue(name)
        for name in resume:
            client.admin.resume_queue(name)
        found = client.admin.queues()
    if as_json:
        for queue in found:
            render.show_json(queue)
        return
    show_table(
        ("queue", "paused", "waiting", "in progress", "paused since"),
        ((q.queue, q.paused, q.waiting, q.in_progress, q.paused_at) for q in found),
        droppable=("paused since",),
    )
