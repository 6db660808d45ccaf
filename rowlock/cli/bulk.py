"""An action on all tasks that match, as a command: counted, confirmed, done page by page."""

import sys
from typing import Final, cast

from rowlock.cli import render
from rowlock.cli.commands import Flag, Option
from rowlock.cli.connection import confirm
from rowlock.cli.progress import counting
from rowlock.cli.table import show_table
from rowlock.cli.values import Number
from rowlock.client import bulk
from rowlock.client.fields import BulkAction, BulkFilters, Filters
from rowlock.client.sync_client import Client
from rowlock.errors import RowlockError
from rowlock.models import BulkResult

OPTIONS: Final = (
    Flag("--dry-run", about="With filters: show what would change, and change nothing."),
    Option(
        "--expect-at-most",
        kind=Number(int, label="N"),
        about="With filters: if more tasks match, change nothing.",
    ),
)


def act_on_all(
    client: Client,
    action: BulkAction,
    filters: Filters,
    *,
    expect_at_most: int | None,
    is_dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """What is done stays done, whatever ends it; it is said how much that is."""
    asked = cast("BulkFilters", {**filters, "expect_at_most": expect_at_most})
    counted = client.ask(bulk.act_on_all(action, {**asked, "dry_run": True}))
    if is_dry_run:
        _show_effect(counted, as_json=as_json)
        return
    matched = changed = 0
    if counted.matched:
        some = f"{counted.matched:,} task{'s'[: counted.matched != 1]}"
        if counted.is_exact is False:
            some = f"more than {some}"
        confirm(f"{action.capitalize()} {some}?", yes=yes)
        try:
            with counting(f"of {some} looked at to {action} them") as advance:
                for page in client.admin.in_pages(action, **asked):
                    matched, changed = matched + page.matched, changed + page.changed
                    advance(matched)
        except (KeyboardInterrupt, RowlockError):
            print(_sentence(matched, changed) + " so far", file=sys.stderr)
            raise
    if as_json:
        render.show_json({"matched": matched, "changed": changed})
    else:
        print(_sentence(matched, changed))


def _show_effect(counted: BulkResult, *, as_json: bool) -> None:
    if as_json:
        render.show_json(counted)
        return
    to = counted.to or {}
    show_table(
        ("status", "tasks", "becomes"),
        (
            (status, count, " or ".join(to.get(status, [status])))
            for status, count in (counted.by_status or {}).items()
        ),
    )
    print(_sentence(counted.matched, 0) + ("" if counted.is_exact else "; more match"))


def _sentence(matched: int, changed: int) -> str:
    return f"{matched:,} matched, {changed:,} changed"
