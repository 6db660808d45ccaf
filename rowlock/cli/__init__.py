"""The command line's commands that speak to a server over HTTP; the server's own are `app.cli`."""

import typer

from rowlock.cli import figures, management, tasks, transfer, work

app = typer.Typer()
for _group in (tasks, transfer, management, figures, work):
    app.add_typer(_group.app)

__all__ = ["app"]
