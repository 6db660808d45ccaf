"""Options that several commands have, each declared once."""

from enum import StrEnum
from typing import Annotated

import typer

from rowlock.cli.completion import files_after_at
from rowlock.client.fields import Backoff, Priority


class Clearable(StrEnum):
    """Fields that may be empty."""

    DESCRIPTION = "description"
    DUE_DATE = "due_date"
    PAYLOAD = "payload"
    TAGS = "tags"


Url = Annotated[
    str | None,
    typer.Option(
        envvar="ROWLOCK_URL",
        help="The URL of the API. (default: http://127.0.0.1:8000)",
        rich_help_panel="Server",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        help="A token for the door that the command needs. (default: ROWLOCK_CLIENT_TOKEN, "
        "ROWLOCK_WORKER_TOKEN or ROWLOCK_ADMIN_TOKEN, or else ROWLOCK_TOKEN)",
        rich_help_panel="Server",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document per line.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
TaskIds = Annotated[list[int], typer.Argument(metavar="ID …", min=1, show_default=False)]

Description = Annotated[str | None, typer.Option(help="Up to 65,535 bytes.")]
Importance = Annotated[Priority | None, typer.Option("--priority", "-p", help="高, 中 or 低.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="Repeat for several.")]
Due = Annotated[str | None, typer.Option("--due", metavar="TIME", help="Informational; RFC 3339.")]
TimeoutSeconds = Annotated[
    int | None, typer.Option("--timeout-seconds", help="Maximum duration of one attempt.")
]
RetryLimit = Annotated[int | None, typer.Option("--retry-limit", help="Maximum number of retries.")]
RetryDelay = Annotated[
    int | None, typer.Option("--retry-delay-seconds", help="Delay before the first retry.")
]
RetryBackoff = Annotated[
    Backoff | None, typer.Option("--retry-backoff", help="How the delay grows.")
]
Payload = Annotated[
    str | None,
    typer.Option(
        autocompletion=files_after_at,
        metavar="JSON",
        help="Data for the worker; `@file` or `-` reads a file or stdin.",
    ),
]
Clear = Annotated[
    list[Clearable] | None,
    typer.Option("--clear", help="Clear this field; repeat for several."),
]
