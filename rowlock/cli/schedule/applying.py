"""`rowlock schedule apply`: a server's schedules made as a file has them."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rowlock.cli import options
from rowlock.cli.commands import Argument, Flag, command
from rowlock.cli.connection import connected, fail
from rowlock.cli.exit_codes import DIFFERS, FAILED, USAGE
from rowlock.cli.files import files
from rowlock.cli.schedule.difference import Change, changes
from rowlock.cli.schedule.file import FileError, ScheduleFile, encoded, place, read
from rowlock.cli.schedule.parameters import PANEL
from rowlock.cli.terminal import styled
from rowlock.cli.values import Text
from rowlock.client import schedule_calls
from rowlock.client.sync_client import Client
from rowlock.errors import InvalidRequestError, NotFoundError
from rowlock.models import Schedule
from rowlock.printable import harmless

_COLOURS: Final = {"make": "green", "change": "yellow", "delete": "red"}
_DONE: Final = {"make": "made", "change": "changed", "delete": "deleted"}


@command(
    "schedule apply",
    PANEL,
    Argument("path", Text("FILE", files), "Such as schedules.toml."),
    Flag("--prune", about="Delete those that an earlier apply has made and the file lacks."),
    Flag("--dry-run", about="Only show what would change; exit code 3 if anything would."),
    *options.SERVER,
)
def apply(*, path: str, prune: bool, dry_run: bool, url: str | None, token: str | None) -> None:
    """Make the server's schedules as a file has them.

    The file is TOML: `name`, and a table [schedules.NAME] for each, with the fields of
    `PUT /schedules/{name}`. What is there already and the same stays untouched.

    With --prune those are deleted whose task has the file's tag, which apply gives it, and which
    are not in the file. Exit code 1: a schedule was refused, and nothing was pruned. 2: the file
    is wrong, and nothing was sent.
    """
    try:
        file = read(Path(path))
    except FileError as error:
        fail(str(error), USAGE)
    with connected(url, token) as client:
        there = {each.name: each for each in client.schedules.list()}
        applying = _Applying(client, path, file, is_dry=dry_run)
        for name, schedule in file.schedules.items():
            applying.put(name, schedule, there.get(name))
        stale = [name for name, found in there.items() if _is_stale(found, file)]
        if prune and not applying.refusals:
            for name in stale:
                applying.delete(name)
    applying.sum_up(left=0 if prune and not applying.refusals else len(stale))
    if applying.refusals:
        sys.exit(FAILED)
    if dry_run and applying.differs:
        sys.exit(DIFFERS)


class _Applying:
    """Does one schedule after the other, or only says what it would do."""

    def __init__(self, client: Client, path: str, file: ScheduleFile, *, is_dry: bool) -> None:
        self.refusals = 0
        self._client = client
        self._path = path
        self._file = file
        self._is_dry = is_dry
        self._counts = dict.fromkeys(_DONE, 0)
        self._same = 0

    @property
    def differs(self) -> bool:
        """Whether anything was, or would be, changed."""
        return any(self._counts.values())

    def put(self, name: str, schedule: Mapping[str, Any], found: Schedule | None) -> None:
        different = changes(name, schedule, found)
        try:
            if self._is_dry:
                self._try(different, schedule)
                is_changed = bool(different)
            else:
                put = schedule_calls.put(name, encoded(name, schedule), None)
                is_changed = self._client.ask(put).revision != getattr(found, "revision", None)
        except InvalidRequestError as error:
            self._refuse(name, error)
            return
        if found is None:
            self._tell("make", name, different)
        elif is_changed:
            self._tell("change", name, different)
        else:
            self._same += 1

    def delete(self, name: str) -> None:
        if not self._is_dry:
            try:
                # Somebody may have put it by hand since it was listed.
                if not _is_stale(self._client.schedules.get(name), self._file):
                    return
            except NotFoundError:
                return
            self._client.schedules.delete(name)
        self._tell("delete", name, [])

    def sum_up(self, *, left: int) -> None:
        said = [
            f"{count:,} to {what}" if self._is_dry else f"{count:,} {_DONE[what]}"
            for what, count in self._counts.items()
            if count
        ]
        said += [f"{self._same:,} the same"] if self._same else []
        said += [f"{self.refusals:,} refused"] if self.refusals else []
        said += [f"{left:,} not in the file any more (--prune deletes)"] if left else []
        print(", ".join(said) or "nothing to do")

    def _try(self, different: list[Change], schedule: Mapping[str, Any]) -> None:
        """What the server would say of the expression and its zone."""
        cron = schedule.get("cron")
        if isinstance(cron, str) and {"cron", "timezone"} & {each.field for each in different}:
            self._client.cron(cron, str(schedule.get("timezone", "UTC")), 1)

    def _refuse(self, name: str, error: InvalidRequestError) -> None:
        self.refusals += 1
        wrong = [
            f"{place(name, 'cron' if each.field == 'expression' else each.field)}: {each.message}"
            for each in error.errors
        ]
        for said in wrong or [f"{place(name)}: {error}"]:
            print(f"rowlock: {harmless(f'{self._path}: {said}')}", file=sys.stderr)

    def _tell(self, what: str, name: str, different: list[Change]) -> None:
        self._counts[what] += 1
        word = what if self._is_dry else _DONE[what]
        print(f"{styled(f'{word:7}', _COLOURS[what])}  {harmless(name)}")
        for line in _lines(different, is_new=what == "make"):
            print(f"         {harmless(line)}")


def _lines(different: list[Change], *, is_new: bool) -> Iterator[str]:
    for each in different:
        if not is_new:
            yield f"- {each.field}: {each.before}"
        yield f"+ {each.field}: {each.after}"


def _is_stale(schedule: Schedule, file: ScheduleFile) -> bool:
    """Whether it is the file's, and not in it any more."""
    return file.tag in schedule.task.get("tags", ()) and schedule.name not in file.schedules
