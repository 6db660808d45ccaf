"""The server's commands. `rowlock` finds them by the entry points of `rowlock-server`.

Each loads what it needs when it is run: `--help` shows all of them.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pydantic import ValidationError

from app.domain.errors import RowlockError, UnfitServerError
from app.runtime.signals import stop_at_hang_up
from rowlock.cli.commands import Flag, Option, command
from rowlock.cli.options import AS_JSON
from rowlock.cli.render import show_json
from rowlock.cli.values import Number
from rowlock.printable import harmless

if TYPE_CHECKING:
    from app.settings import Settings

_PANEL: Final = "Server"


@command("dev", _PANEL)
def dev() -> None:
    """Run everything on this machine: MySQL, Valkey, API and scheduler.

    ROWLOCK_HOME sets the data directory, ROWLOCK_PORT the port of the API.
    """
    from app.local.dev import run_dev

    sys.exit(run_dev())


@command(
    "serve",
    _PANEL,
    Option("--host", about="Overrides ROWLOCK_HOST."),
    Option("--port", kind=Number(int), about="Overrides ROWLOCK_PORT."),
    Option(
        "--workers",
        kind=Number(int, 1, 64),
        default=1,
        about="API processes that share the port; for more than two cores.",
    ),
    Flag("--with-scheduler", about="Also run the scheduler, as a separate process."),
    Flag("--migrate", about="Upgrade the database schema first."),
    Option("--one-of", kind=Number(int), about="Among so many.", is_hidden=True),
)
def serve(
    *,
    host: str | None,
    port: int | None,
    workers: int,
    with_scheduler: bool,
    migrate: bool,
    one_of: int | None,
) -> None:
    """Serve the API, with the database in ROWLOCK_DATABASE_URL.

    With `--with-scheduler --migrate`, this one command is a complete deployment.
    """
    stop_at_hang_up()
    settings = _settings(host=host, port=port)
    if not settings.has_tokens:
        if not settings.on_loopback:
            _end(
                f"No tokens are set, so the API listens on loopback only, not on {settings.host}. "
                "Set ROWLOCK_CLIENT_TOKENS, ROWLOCK_WORKER_TOKENS and ROWLOCK_ADMIN_TOKENS."
            )
        if one_of is None:  # else it was said before
            print(
                f"No tokens are set: anyone on this machine may call {settings.url}.",
                file=sys.stderr,
            )
    if migrate:
        _checked(settings, _migrate)
    _checked(settings, _require_fit)
    if workers > 1 or with_scheduler:
        _serve_by(workers, settings, with_scheduler=with_scheduler)

    from app.processes.server import serve as run

    run(settings, shares_port=one_of is not None and one_of > 1)


def _serve_by(workers: int, settings: "Settings", *, with_scheduler: bool) -> NoReturn:
    from app.local.dev import own_command
    from app.local.errors import LocalError
    from app.processes.tree import Processes

    place = ("--host", settings.host, "--port", str(settings.port))
    api = (*own_command(), "serve", *place, "--one-of", str(workers))
    sweeps = (*own_command(), "scheduler") if with_scheduler else None
    try:
        sys.exit(Processes(settings, workers, api, scheduler=sweeps).run())
    except LocalError as error:
        _end(str(error))


@command("scheduler", _PANEL)
def scheduler() -> None:
    """Run the sweeps: timeouts, lost leases, promotion. Several schedulers may run."""
    stop_at_hang_up()
    _checked(_settings(), _require_current)
    from app.processes.scheduler import main as run

    run()


@command("migrate", _PANEL)
def migrate() -> None:
    """Upgrade the database schema to this version."""
    _checked(_settings(), _migrate)


@command("recount", _PANEL)
def recount() -> None:
    """Count all tasks and correct the counters, after rows were changed with SQL."""
    from app.service.sweeping import recount as run

    settings = _settings()
    _checked(settings, _require_current)
    try:
        wrong = asyncio.run(run(settings))
    except RowlockError as error:
        _end(str(error))
    for name, difference in sorted(wrong.items()):
        print(f"{harmless(name)}: {difference:+,}")
    print(f"{len(wrong)} counters were wrong and are now correct." if wrong else "All are correct.")


@command("doctor", _PANEL, AS_JSON)
def doctor(*, as_json: bool) -> None:
    """Check MySQL (version, durability, SKIP LOCKED and more) and Redis."""
    from app.processes.doctor import examine
    from rowlock.cli.system import show_findings

    findings = examine(_settings())
    if as_json:
        for finding in findings:
            show_json(finding._asdict())
    else:
        show_findings(findings)
    if any(finding.verdict == "bad" for finding in findings):
        sys.exit(1)


def _settings(**given: Any) -> "Settings":
    from app.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for details in error.errors():
            name = f"ROWLOCK_{str(details['loc'][0]).upper()}"
            said = "is not set" if details["type"] == "missing" else details["msg"]
            print(f"{name}: {said.removeprefix('Value error, ')}", file=sys.stderr)
        sys.exit(2)


def _migrate(settings: "Settings") -> None:
    from app.mysql.migration import upgrade

    print(f"The schema is at revision {upgrade(settings)}.")


def _require_current(settings: "Settings") -> None:
    from app.mysql.revisions import require_current

    require_current(settings)


def _require_fit(settings: "Settings") -> None:
    from app.processes.doctor import require_skip_locked

    _require_current(settings)
    require_skip_locked(settings)


def _checked(settings: "Settings", work: "Callable[[Settings], None]") -> None:
    from sqlalchemy import exc

    try:
        work(settings)
    except UnfitServerError as error:
        _end(str(error))
    except (exc.DBAPIError, OSError) as error:
        said = error.orig if isinstance(error, exc.DBAPIError) else error
        _end(f"Cannot connect to MySQL at {settings.shown_url}: {said}")


def _end(message: str) -> NoReturn:
    print(f"rowlock: {message}", file=sys.stderr)
    sys.exit(1)
