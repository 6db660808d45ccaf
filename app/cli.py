"""The server's commands. `rowlock` finds them by the entry points of `rowlock-server`.

Each loads what it needs when it is run: `--help` shows all of them.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from app.domain.errors import RowlockError, UnfitServerError
from app.runtime.signals import stop_at_hang_up
from rowlock.cli import options
from rowlock.cli.render import show_json
from rowlock.printable import harmless

if TYPE_CHECKING:
    from app.settings import Settings

app = typer.Typer(pretty_exceptions_enable=False)


@app.command(rich_help_panel="Server")
def dev() -> None:
    """Run everything on this machine: MySQL, Valkey, API and scheduler.

    ROWLOCK_HOME sets the data directory, ROWLOCK_PORT the port of the API.
    """
    from app.local.dev import run_dev

    raise typer.Exit(run_dev())


@app.command(rich_help_panel="Server")
def serve(
    host: Annotated[str | None, typer.Option(help="Overrides ROWLOCK_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Overrides ROWLOCK_PORT.")] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="API processes that share the port; for more than two cores."
        ),
    ] = 1,
    with_scheduler: Annotated[
        bool,
        typer.Option("--with-scheduler", help="Also run the scheduler, as a separate process."),
    ] = False,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Upgrade the database schema first.")
    ] = False,
    one_of: Annotated[int | None, typer.Option(hidden=True)] = None,
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
            typer.echo(
                f"No tokens are set: anyone on this machine may call {settings.url}.", err=True
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
        raise typer.Exit(Processes(settings, workers, api, scheduler=sweeps).run())
    except LocalError as error:
        _end(str(error))


@app.command(rich_help_panel="Server")
def scheduler() -> None:
    """Run the sweeps: timeouts, lost leases, promotion. Several schedulers may run."""
    stop_at_hang_up()
    _checked(_settings(), _require_current)
    from app.processes.scheduler import main as run

    run()


@app.command(rich_help_panel="Server")
def migrate() -> None:
    """Upgrade the database schema to this version."""
    _checked(_settings(), _migrate)


@app.command(rich_help_panel="Server")
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
        typer.echo(f"{harmless(name)}: {difference:+,}")
    typer.echo(
        f"{len(wrong)} counters were wrong and are now correct." if wrong else "All are correct."
    )


@app.command(rich_help_panel="Server")
def doctor(as_json: options.AsJson = False) -> None:
    """Check MySQL (version, durability, SKIP LOCKED and more) and Redis."""
    from app.processes.doctor import examine

    marks = {"ok": ("✓", "green"), "note": ("·", "yellow"), "bad": ("✗", "red")}
    findings = examine(_settings())
    for finding in findings:
        if as_json:
            show_json(finding._asdict())
            continue
        mark, colour = marks[finding.verdict]
        typer.secho(f"{mark} {finding.what:32}", fg=colour, nl=False)
        typer.echo(f" {finding.detail}")
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(1)


def _settings(**given: Any) -> "Settings":
    from app.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for details in error.errors():
            name = f"ROWLOCK_{str(details['loc'][0]).upper()}"
            said = "is not set" if details["type"] == "missing" else details["msg"]
            typer.echo(f"{name}: {said.removeprefix('Value error, ')}", err=True)
        raise typer.Exit(2) from None


def _migrate(settings: "Settings") -> None:
    from app.mysql.migration import upgrade

    typer.echo(f"The schema is at revision {upgrade(settings)}.")


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
    typer.echo(f"rowlock: {message}", err=True)
    sys.exit(1)
