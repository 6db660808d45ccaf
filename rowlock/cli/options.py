"""Options that several commands have, each declared once."""

from typing import Final, get_args

from rowlock.cli.commands import Argument, Flag, Option
from rowlock.cli.files import files_after_at
from rowlock.cli.values import Choice, Number, Text
from rowlock.client.fields import Backoff, Priority

_PANEL: Final = "Server"

# What may follow a name.
ID: Final = Number(int, 1, label="ID")
TIME: Final = Text("TIME")
SECONDS: Final = Number(int, label="SECONDS")

TITLE: Final = Argument("title", Text("TITLE"), "Title of the task.")
GROUP: Final = Option("--group", about="Of a group so many run at a time; see `queue settings`.")
IDS: Final = Argument("ids", ID, is_many=True)

AS_JSON: Final = Flag("--json", to="as_json", about="Print one JSON document per line.")
YES: Final = Flag("--yes", "-y", about="Do not ask for confirmation.")
PAYLOAD: Final = Option(
    "--payload",
    kind=Text("JSON", files_after_at),
    about="Data for the worker; `@file` or `-` reads a file or stdin.",
)

# Which server, and by what right.
SERVER: Final = (
    Option(
        "--url",
        kind=Text("URL"),
        env=("ROWLOCK_URL",),
        about="The URL of the API. (default: http://127.0.0.1:8000)",
        panel=_PANEL,
    ),
    Option(
        "--token",
        about="A token for the door that the command needs. (default: ROWLOCK_CLIENT_TOKEN, "
        "ROWLOCK_WORKER_TOKEN or ROWLOCK_ADMIN_TOKEN, to read ROWLOCK_VIEWER_TOKEN, or else "
        "ROWLOCK_TOKEN)",
        panel=_PANEL,
    ),
)
# The same for a worker. The environment is the SDK's to read: it counts less than what a
# module's worker says itself.
WORKER_SERVER: Final = (
    Option(
        "--url", kind=Text("URL"), about="The URL of the API. (default: ROWLOCK_URL)", panel=_PANEL
    ),
    Option(
        "--token",
        about="A worker token. (default: ROWLOCK_WORKER_TOKEN, or else ROWLOCK_TOKEN)",
        panel=_PANEL,
    ),
)

# The fields of a task that can be submitted and changed.
FIELDS: Final = (
    Option("--description", about="Up to 65,535 bytes."),
    Option("--priority", "-p", kind=Choice(*get_args(Priority)), about="高, 中 or 低."),
    Option("--tag", "-t", to="tags", is_many=True, about="Repeat for several."),
    PAYLOAD,
    Option("--due", to="due_date", kind=TIME, about="Informational; RFC 3339."),
    Option("--timeout-seconds", kind=SECONDS, about="Maximum duration of one attempt."),
    Option("--retry-limit", kind=Number(int), about="Maximum number of retries."),
    Option("--retry-delay-seconds", kind=SECONDS, about="Delay before the first retry."),
    Option("--retry-backoff", kind=Choice(*get_args(Backoff)), about="How the delay grows."),
)
