"""How the server is: `rowlock processes`, `rowlock findings`, `rowlock me`."""

import sys
from collections.abc import Iterable
from typing import Final, Protocol

from rowlock.cli import options, render
from rowlock.cli.commands import command
from rowlock.cli.connection import connected
from rowlock.cli.exit_codes import FAILED
from rowlock.cli.table import show_table
from rowlock.cli.terminal import styled
from rowlock.printable import harmless

_MARKS: Final = {"ok": ("✓", "green"), "note": ("·", "yellow"), "bad": ("✗", "red")}


class Finding(Protocol):
    """One of the server's, or of its answer's."""

    @property
    def verdict(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def fix(self) -> str | None: ...


@command("processes", "Management", options.AS_JSON, *options.SERVER)
def processes(*, as_json: bool, url: str | None, token: str | None) -> None:
    """Show the API processes, the schedulers, and what their sweeps have done."""
    with connected(url, token) as client:
        found = client.admin.processes()
    if as_json:
        render.show_json(found)
        return
    show_table(
        ("process", "kind", "version", "state", "since", "last seen"),
        (
            (
                each.id[:8],
                each.kind,
                each.version,
                each.state,
                each.running_since,
                each.last_seen_at,
            )
            for each in found.processes
        ),
        droppable=("process", "since"),
    )
    if found.sweeps:
        print()
        show_table(
            ("sweep", "runs", "moved", "last run"),
            ((each.sweep, each.runs, each.moved, each.last_run_at) for each in found.sweeps),
        )


@command("findings", "Management", options.AS_JSON, *options.SERVER)
def findings(*, as_json: bool, url: str | None, token: str | None) -> None:
    """Show what `rowlock doctor` finds on the server, up to a minute ago."""
    with connected(url, token) as client:
        found = client.admin.doctor()
    if as_json:
        render.show_json(found)
    else:
        show_findings(found.findings)
    if found.verdict == "bad":
        sys.exit(FAILED)


@command("me", "Management", options.AS_JSON, *options.SERVER)
def me(*, as_json: bool, url: str | None, token: str | None) -> None:
    """Show what the token opens, and the server's version, time and state."""
    with connected(url, token) as client:
        found = client.me()
    show = render.show_json if as_json else render.show_fields
    show(found)


def show_findings(found: Iterable[Finding]) -> None:
    """A line each, with what sets it right."""
    for each in found:
        mark, colour = _MARKS.get(each.verdict, ("?", "grey"))
        fix = "" if each.fix is None else f"  →  {each.fix}"
        what = styled(f"{mark} {harmless(each.what):32}", colour)
        print(f"{what} {harmless(each.detail + fix)}", flush=True)
