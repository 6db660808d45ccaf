"""Options that several commands have, each declared once."""

from enum import StrEnum
from typing import Annotated

import typer

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
        help="Where the API is; else http://127.0.0.1:8000.",
        rich_help_panel="Server",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="ROWLOCK_TOKEN",
        help="For the door that the command needs.",
        rich_help_panel="Server",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="For programs: a JSON document a line, no table.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
TaskIds = Annotated[list[int], typer.Argument(metavar="ID …", min=1, show_default=False)]

Description = Annotated[str | None, typer.Option(help="Up to 65,535 bytes.")]
Importance = Annotated[Priority | None, typer.Option("--priority", "-p", help="高, 中 or 低.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="Repeat for several.")]
Due = Annotated[str | None, typer.Option("--due", metavar="TIME", help="A wish; RFC 3339.")]
TimeoutSeconds = Annotated[
    int | None, typer.Option("--timeout-seconds", help="That one attempt may take.")
]
RetryLimit = Annotated[int | None, typer.Option("--retry-limit", help="Retries at most.")]
RetryDelay = Annotated[
    int | None, typer.Option("--retry-delay-seconds", help="Before the first retry.")
]
RetryBackoff = Annotated[
    Backoff | None, typer.Option("--retry-backoff", help="How the delay goes on.")
]
Payload = Annotated[
    str | None,
    typer.Option(metavar="JSON", help="What the worker needs; `@file` and `-` (stdin) are read."),
]
Clear = Annotated[
    list[Clearable] | None,
    typer.Option("--clear", help="Empty a field; repeat for several."),
]
