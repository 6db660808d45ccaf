"""`rowlock worker`: tasks done by a command, a web service, or a module's functions."""

import logging
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rowlock.cli.connection import USAGE, fail, sentence
from rowlock.errors import RowlockError
from rowlock.printable import HarmlessLines
from rowlock.worker import runner
from rowlock.worker.command import Command
from rowlock.worker.forward import Forward
from rowlock.worker.worker import Worker

app = typer.Typer()

# The environment is the SDK's to read: it counts less than what a module's worker says itself.
Url = Annotated[
    str | None, typer.Option(help="Where the API is; else ROWLOCK_URL.", rich_help_panel="Server")
]
Token = Annotated[
    str | None,
    typer.Option(help="For the worker door; else ROWLOCK_TOKEN.", rich_help_panel="Server"),
]
# After the command's name its own options begin.
_OURS_COME_FIRST: Final = {"allow_interspersed_args": False}


@app.command("worker", rich_help_panel="Workers", context_settings=_OURS_COME_FIRST)
def run(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[CMD ARG …]", show_default=False)
    ] = None,
    runs_command: Annotated[
        bool, typer.Option("--exec", help="Run CMD ARG … for each task; comes last.")
    ] = False,
    forward: Annotated[
        str | None, typer.Option(metavar="URL", help="POST each task there.")
    ] = None,
    handlers: Annotated[
        str | None, typer.Option(metavar="MODULE:WORKER", help="Run this `rowlock.Worker`.")
    ] = None,
    queues: Annotated[
        list[str] | None,
        typer.Option("--queue", "-q", help="Repeat for several. (default: default)"),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", min=1, help="Tasks at a time. (default: 1)")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Shown in the task. (default: host and process id)")
    ] = None,
    lease_seconds: Annotated[
        int | None,
        typer.Option(min=5, max=3600, help="A dead worker is noticed after it. (default: 30)"),
    ] = None,
    grace_seconds: Annotated[
        float | None,
        typer.Option(min=0, help="For what runs when told to stop. (default: 30)"),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Leave when there is nothing more to do.")
    ] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Claim tasks and do them: `--exec CMD ARG …`, `--forward URL` or `--handlers MODULE:WORKER`.

    --exec: CMD is run without a shell, with the task as JSON on its stdin, and ROWLOCK_TASK_ID,
    ROWLOCK_ATTEMPT, ROWLOCK_TITLE and ROWLOCK_QUEUE in its environment. Exit code 0: done, stdout
    is the result. 65: failed for good. Any other: retried, the end of stderr is the error. A line
    `::progress 40` on stderr is progress.

    --forward: 2xx: done, the body is the result. 408, 425, 429, 5xx or no answer: retried, after
    Retry-After. Any other 4xx: failed for good. ROWLOCK_SIGNING_KEY signs what is sent.

    SIGTERM: nothing more is claimed, what runs may end within --grace-seconds, the rest is given
    back and costs no retry. A second SIGTERM gives it back at once.
    """
    if [runs_command, forward is not None, handlers is not None].count(True) != 1:
        fail("Say what does the work: one of --exec, --forward and --handlers.", USAGE)
    if bool(command) != runs_command:
        fail("--exec is followed by the command, and nothing else is.", USAGE)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HarmlessLines("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("rowlock").setLevel("INFO")
    given: dict[str, Any] = {
        name: value
        for name, value in {
            "queues": queues,
            "concurrency": concurrency,
            "name": name,
            "lease_seconds": lease_seconds,
            "grace_seconds": grace_seconds,
            "url": url,
            "token": token,
        }.items()
        if value is not None
    }
    try:
        worker = Worker(**given) if handlers is None else _load(handlers).with_options(**given)
        service = None if forward is None else Forward(forward, signing_key=_signing_key())
    except ValueError as error:
        fail(str(error), USAGE)
    if command:
        if shutil.which(command[0]) is None:
            fail(f"--exec: there is no command {command[0]}.", USAGE)
        worker.handler(Command(command))
    try:
        runner.run(_work(worker, service, once=once), worker.stop)
    except RowlockError as error:
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


def _load(place: str) -> Worker:
    module_name, _, attribute = place.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(import_module(module_name), attribute or "worker")
    except (ImportError, AttributeError) as error:
        fail(f"--handlers {place}: {error}", USAGE)
    if not isinstance(found, Worker):
        fail(f"--handlers {place}: that is no rowlock.Worker but {type(found).__name__}", USAGE)
    if not found.has_handler:
        fail(f"--handlers {place}: that worker has no handler", USAGE)
    return found
