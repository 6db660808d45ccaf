"""`rowlock bench`: the command's part of it; `rowlock` finds it by its entry point."""

import sys
from typing import NoReturn

from rowlock.cli.commands import Option, command
from rowlock.cli.options import AS_JSON
from rowlock.cli.render import show_json
from rowlock.cli.values import Number, Text


@command(
    "bench",
    "Server",
    Option(
        "--url",
        kind=Text("URL"),
        default="http://127.0.0.1:8000",
        env=("ROWLOCK_URL",),
        about="The URL of the API.",
    ),
    Option(
        "--client-token", env=("ROWLOCK_CLIENT_TOKEN", "ROWLOCK_TOKEN"), about="A client token."
    ),
    Option(
        "--worker-token", env=("ROWLOCK_WORKER_TOKEN", "ROWLOCK_TOKEN"), about="A worker token."
    ),
    Option(
        "--seconds",
        kind=Number(float, 0.1, 60, label="SECONDS"),
        default=2.0,
        about="Duration of each measurement.",
    ),
    AS_JSON,
)
def bench(
    *,
    url: str,
    client_token: str | None,
    worker_token: str | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Measure the throughput of a running server, in a separate queue."""
    if not url.startswith(("http://", "https://")):
        _end(f"--url must begin with http:// or https://, but is {url}.")
    from bench import users
    from bench.report.figures import print_table
    from bench.result import BenchError

    try:
        results = users.run(
            url, client_token=client_token, worker_token=worker_token, seconds=seconds
        )
    except BenchError as error:
        _end(str(error))
    if not as_json:
        print_table(results)
        return
    for result in results:
        show_json({"name": result.name, "figure": result.figure, "unit": result.unit})


def _end(message: str) -> NoReturn:
    print(f"rowlock: {message}", file=sys.stderr)
    sys.exit(1)
