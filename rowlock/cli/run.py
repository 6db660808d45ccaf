"""`rowlock run`: a handler, once, without a server."""

from typing import Annotated, Final

import typer
from pydantic_core import to_json

from rowlock import testing
from rowlock.cli import options
from rowlock.cli.connection import TASK_NOT_DONE, USAGE, fail
from rowlock.cli.handlers import load
from rowlock.cli.log import configure_log
from rowlock.cli.payload import payload_of
from rowlock.errors import LifespanError
from rowlock.printable import harmless_json

app = typer.Typer()

_DONE: Final = "done"
_RELEASED: Final = "released"


@app.command("run", rich_help_panel="Workers")
def run(
    title: Annotated[str, typer.Argument(help="Title of the task.", show_default=False)],
    handlers: Annotated[
        str, typer.Option(metavar="MODULE:WORKER", help="The Python worker.", show_default=False)
    ],
    payload: options.Payload = None,
    timeout_seconds: Annotated[
        float, typer.Option(min=0, help="Time limit of the attempt.")
    ] = 300.0,
) -> None:
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
    typer.echo(harmless_json(to_json(outcome.result).decode()))
