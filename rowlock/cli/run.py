"""`rowlock run`: a handler, once, without a server."""

from typing import Final

from pydantic_core import to_json

from rowlock import testing
from rowlock.cli import options
from rowlock.cli.commands import Option, command
from rowlock.cli.connection import fail
from rowlock.cli.exit_codes import TASK_NOT_DONE, USAGE
from rowlock.cli.handlers import load
from rowlock.cli.log import configure_log
from rowlock.cli.payload import payload_of
from rowlock.cli.values import Number, Text
from rowlock.errors import LifespanError
from rowlock.printable import harmless_json

_DONE: Final = "done"
_RELEASED: Final = "released"


@command(
    "run",
    "Workers",
    options.TITLE,
    Option("--handlers", kind=Text("MODULE:WORKER"), is_required=True, about="The Python worker."),
    options.PAYLOAD,
    Option(
        "--timeout-seconds",
        kind=Number(float, 0, label="SECONDS"),
        default=300.0,
        about="Time limit of the attempt.",
    ),
)
def run(*, title: str, handlers: str, payload: str | None, timeout_seconds: float) -> None:
    """Run a worker's handler once, without a server, and print its result as JSON.

    Exit code 0: it returned. 3: it failed, or took longer than the time limit; the error is on
    stderr. Nothing is stored, and nothing is retried.
    """
    worker = load(handlers)
    given = None if payload is None else payload_of(payload)
    configure_log("WARNING")
    try:
        outcome = testing.run(worker, given, title=title, timeout_seconds=timeout_seconds)
    except LifespanError as error:
        fail(str(error))
    if outcome.outcome == _RELEASED:
        fail(f"{handlers} has no handler for {title!r}.", USAGE)
    if outcome.outcome != _DONE:
        fail(outcome.error or outcome.outcome, TASK_NOT_DONE)
    print(harmless_json(to_json(outcome.result).decode()))
