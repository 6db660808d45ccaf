"""`rowlock worker`: tasks done by a command, a web service, or a module's functions."""

import os
import shutil
from typing import Annotated, Any, Final

import typer

from rowlock.cli.connection import USAGE, fail, sentence
from rowlock.cli.handlers import load
from rowlock.cli.log import configure_log
from rowlock.errors import LifespanError, RowlockError, WorkerProcessError
from rowlock.worker import supervised
from rowlock.worker.command import Command
from rowlock.worker.forward import Forward
from rowlock.worker.log import log
from rowlock.worker.worker import Worker

app = typer.Typer()

# The environment is the SDK's to read: it counts less than what a module's worker says itself.
Url = Annotated[
    str | None,
    typer.Option(help="The URL of the API. (default: ROWLOCK_URL)", rich_help_panel="Server"),
]
Token = Annotated[
    str | None,
    typer.Option(
        help="A worker token. (default: ROWLOCK_WORKER_TOKEN, or else ROWLOCK_TOKEN)",
        rich_help_panel="Server",
    ),
]
# After the command's name its own options begin.
_OURS_COME_FIRST: Final = {"allow_interspersed_args": False}


@app.command("worker", rich_help_panel="Workers", context_settings=_OURS_COME_FIRST)
def run(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[CMD ARG …]", show_default=False)
    ] = None,
    runs_command: Annotated[
        bool,
        typer.Option(
            "--exec",
            help="Run CMD ARG … for each task; must come last. `-- CMD ARG …` is the same.",
        ),
    ] = False,
    forward: Annotated[
        str | None, typer.Option(metavar="URL", help="POST each task to this URL.")
    ] = None,
    handlers: Annotated[
        str | None, typer.Option(metavar="MODULE:WORKER", help="Run this Python worker.")
    ] = None,
    queues: Annotated[
        list[str] | None,
        typer.Option(
            "--queue", "-q", help="Queue to claim from; repeat for several. (default: default)"
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", "-c", min=1, help="Tasks run at a time. (default: 1)"),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that run tasks, each up to --concurrency. (default: 1)"
        ),
    ] = None,
    max_tasks_per_process: Annotated[
        int | None,
        typer.Option(min=1, help="Replace a process after so many tasks. (default: never)"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name shown in the task. (default: host and process id)")
    ] = None,
    lease_seconds: Annotated[
        int | None,
        typer.Option(min=5, max=3600, help="A dead worker is detected after this. (default: 30)"),
    ] = None,
    grace_seconds: Annotated[
        float | None,
        typer.Option(min=0, help="Time that running tasks get to end on SIGTERM. (default: 30)"),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Exit when there is no task to claim.")
    ] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Claim and run tasks: `--exec CMD ARG …`, `--forward URL` or `--handlers MODULE:WORKER`.

    --exec: CMD runs without a shell, with the task as JSON on stdin, and ROWLOCK_TASK_ID,
    ROWLOCK_ATTEMPT, ROWLOCK_TITLE and ROWLOCK_QUEUE in its environment. Exit code 0: done, stdout
    is the result. 65: failed, not retried. Any other: failed and retried, the end of stderr is
    the error. A line `::progress 40` on stderr reports progress.

    --forward: 2xx: done, the body is the result. 408, 425, 429, 5xx or no answer: failed and
    retried, after Retry-After if given. Any other 4xx: failed, not retried. Requests are signed
    with ROWLOCK_SIGNING_KEY if it is set.

    SIGTERM: no more tasks are claimed, running ones may end within --grace-seconds, and the rest
    are released, which does not count as a retry. A second SIGTERM releases them at once.
    """
    # What comes after `--` is a command, as elsewhere.
    runs_command = runs_command or (bool(command) and forward is None and handlers is None)
    if [runs_command, forward is not None, handlers is not None].count(True) != 1:
        fail("Choose one of --exec, --forward and --handlers.", USAGE)
    if bool(command) != runs_command:
        fail("Put the command after --exec, and only there.", USAGE)
    given: dict[str, Any] = {
        name: value
        for name, value in {
            "queues": queues,
            "concurrency": concurrency,
            "processes": processes,
            "max_tasks_per_process": max_tasks_per_process,
            "name": name,
            "lease_seconds": lease_seconds,
            "grace_seconds": grace_seconds,
            "url": url,
            "token": token,
        }.items()
        if value is not None
    }
    try:
        worker = Worker(**given)
        is_supervised = supervised.is_supervised()
        # Who only supervises does not import what handlers need.
        is_told_here = processes is not None and worker.is_supervisor
        if handlers is not None and (is_supervised or not is_told_here):
            worker = load(handlers).with_options(**given)
        service = None if forward is None else Forward(forward, signing_key=_signing_key())
    except ValueError as error:
        fail(str(error), USAGE)
    configure_log("INFO")
    if command:
        if shutil.which(command[0]) is None:
            fail(f"--exec: the command {command[0]} was not found.", USAGE)
        worker.handler(Command(command))
    try:
        if worker.is_supervisor and not is_supervised:
            worker.run(drain=once)
        else:
            supervised.run(_work(worker, service, once=once), worker.stop)
    except WorkerProcessError as error:
        fail(str(error), error.exit_code)
    except RowlockError as error:
        if isinstance(error, LifespanError):
            log.error("the lifespan's error:", exc_info=error.__cause__)
        fail(sentence(error))


async def _work(worker: Worker, service: Forward | None, *, once: bool) -> None:
    if service is None:
        await worker.run_async(drain=once)
        return
    async with service:
        worker.handler(service)
        await worker.run_async(drain=once)


def _signing_key() -> str | None:
    return os.environ.get("ROWLOCK_SIGNING_KEY")
