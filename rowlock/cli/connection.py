"""The way to the server, and how a command ends that came to nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from rowlock.cli.exit_codes import FAILED, USAGE
from rowlock.client.sync_client import Client
from rowlock.errors import NotAllowedError, ProblemError, RowlockError
from rowlock.printable import harmless

# A person waits.
RETRY_SECONDS: Final = 3.0


@contextmanager
def connected(
    url: str | None, token: str | None, *, retry_seconds: float = RETRY_SECONDS
) -> Iterator[Client]:
    """A client; what the server refuses ends the command with a sentence on stderr."""
    try:
        client = Client(url, token, retry_seconds=retry_seconds)
    except ValueError as error:
        fail(str(error), USAGE)
    with client:
        try:
            yield client
        except RowlockError as error:
            fail(sentence(error))


def sentence(error: RowlockError) -> str:
    """What went wrong, with the fields that are wrong, and what to do about a door."""
    lines = [str(error)]
    if isinstance(error, ProblemError) and error.errors:
        lines = [f"{error.status} {error.title}"]
        lines += [f"  {wrong.field}: {wrong.message}" for wrong in error.errors]
    if isinstance(error, NotAllowedError):
        lines.append(
            "  Set --token to a token for the door that this command needs, or ROWLOCK_TOKEN, or "
            "the door's own ROWLOCK_CLIENT_TOKEN, ROWLOCK_WORKER_TOKEN or ROWLOCK_ADMIN_TOKEN; "
            "to read, ROWLOCK_VIEWER_TOKEN."
        )
    return "\n".join(map(harmless, lines))  # a server's words, or those of a file


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the user says so, here or by `--yes` before."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Cannot ask without a terminal; add --yes.", USAGE)
    while (answer := _answer(f"{question} [y/N]: ")) not in ("", "n", "no"):
        if answer in ("y", "yes"):
            return
        print("Please answer y or n.", file=sys.stderr)
    sys.exit(FAILED)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command."""
    lines = "\n".join(map(harmless, message.split("\n")))
    print(f"rowlock: {lines}", file=sys.stderr)
    sys.exit(code)


def _answer(question: str) -> str:
    """In small letters; none where there is no answer."""
    print(question, end="", file=sys.stderr, flush=True)
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
    if not answer:
        print(file=sys.stderr)
    return answer.strip().lower()
