"""`rowlock bench`: the command's part of it; `rowlock` finds it by its entry point."""

from typing import Annotated

import typer

from rowlock.cli import options
from rowlock.cli.render import show_json

app = typer.Typer()


@app.command(rich_help_panel="Server")
def bench(
    url: Annotated[
        str, typer.Option(envvar="ROWLOCK_URL", help="The URL of the API.")
    ] = "http://127.0.0.1:8000",
    client_token: Annotated[
        str | None,
        typer.Option(envvar=["ROWLOCK_CLIENT_TOKEN", "ROWLOCK_TOKEN"], help="A client token."),
    ] = None,
    worker_token: Annotated[
        str | None,
        typer.Option(envvar=["ROWLOCK_WORKER_TOKEN", "ROWLOCK_TOKEN"], help="A worker token."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=60, help="Duration of each measurement.")
    ] = 2.0,
    as_json: options.AsJson = False,
) -> None:
    """Measure the throughput of a running server, in a separate queue."""
    if not url.startswith(("http://", "https://")):
        raise _ended(f"--url must begin with http:// or https://, but is {url}.")
    from bench import users
    from bench.report.figures import print_table
    from bench.result import BenchError

    try:
        results = users.run(
            url, client_token=client_token, worker_token=worker_token, seconds=seconds
        )
    except BenchError as error:
        raise _ended(str(error)) from None
    if not as_json:
        print_table(results)
        return
    for result in results:
        show_json({"name": result.name, "figure": result.figure, "unit": result.unit})


def _ended(message: str) -> typer.Exit:
    typer.echo(f"rowlock: {message}", err=True)
    return typer.Exit(1)
