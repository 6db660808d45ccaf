"""`rowlock worker`: tasks done by a command, a web service, or a module's functions."""

import os
import shutil
from typing import Any, Final

from rowlock.cli import options
from rowlock.cli.commands import Argument, Flag, Option, command
from rowlock.cli.connection import fail, sentence
from rowlock.cli.exit_codes import USAGE
from rowlock.cli.handlers import load
from rowlock.cli.log import configure_log
from rowlock.cli.values import Number, Text
from rowlock.errors import LifespanError, RowlockError, WorkerProcessError
from rowlock.worker import supervised
from rowlock.worker.command import Command
from rowlock.worker.forward import Forward
from rowlock.worker.log import log
from rowlock.worker.worker import Worker

_AT_LEAST_1: Final = Number(int, 1)

# What a worker is made with. What is not named is what the module's worker says, or the default.
_OF_THE_WORKER: Final = (
    Option(
        "--queue",
        "-q",
        to="queues",
        is_many=True,
        about="Queue to claim from; repeat for several. (default: default)",
    ),
    Option("--concurrency", "-c", kind=_AT_LEAST_1, about="Tasks run at a time. (default: 1)"),
    Option(
        "--processes",
        kind=_AT_LEAST_1,
        about="Processes that run tasks, each up to --concurrency. (default: 1)",
    ),
    Option(
        "--max-tasks-per-process",
        kind=_AT_LEAST_1,
        about="Replace a process after so many tasks. (default: never)",
    ),
    Option("--name", about="Name shown in the task. (default: host and process id)"),
    Option(
        "--lease-seconds",
        kind=Number(int, 5, 3600, label="SECONDS"),
        about="A dead worker is detected after this. (default: 30)",
    ),
    Option(
        "--grace-seconds",
        kind=Number(float, 0, label="SECONDS"),
        about="Time that running tasks get to end on SIGTERM. (default: 30)",
    ),
)


@command(
    "worker",
    "Workers",
    Argument("words", Text("CMD ARG"), is_many=True, is_required=False),
    Flag(
        "--exec",
        to="runs_command",
        about="Run CMD ARG … for each task; must come last. `-- CMD ARG …` is the same.",
    ),
    Option("--forward", kind=Text("URL"), about="POST each task to this URL."),
    Option("--handlers", kind=Text("MODULE:WORKER"), about="Run this Python worker."),
    *_OF_THE_WORKER,
    Flag("--once", about="Exit when there is no task to claim."),
    *options.WORKER_SERVER,
    options_first=True,
)
def run(
    *,
    words: list[str],
    runs_command: bool,
    forward: str | None,
    handlers: str | None,
    once: bool,
    **of_the_worker: Any,
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
    runs_command = runs_command or (bool(words) and forward is None and handlers is None)
    if [runs_command, forward is not None, handlers is not None].count(True) != 1:
        fail("Choose one of --exec, --forward and --handlers.", USAGE)
    if bool(words) != runs_command:
        fail("Put the command after --exec, and only there.", USAGE)
    given = {name: value for name, value in of_the_worker.items() if value not in (None, [])}
    try:
        worker = Worker(**given)
        is_supervised = supervised.is_supervised()
        # Who only supervises does not import what handlers need.
        is_told_here = "processes" in given and worker.is_supervisor
        if handlers is not None and (is_supervised or not is_told_here):
            worker = load(handlers).with_options(**given)
        service = None if forward is None else Forward(forward, signing_key=_signing_key())
    except ValueError as error:
        fail(str(error), USAGE)
    configure_log("INFO")
    if words:
        if shutil.which(words[0]) is None:
            fail(f"--exec: the command {words[0]} was not found.", USAGE)
        worker.handler(Command(words))
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
