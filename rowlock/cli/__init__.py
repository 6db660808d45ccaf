"""The command line's commands that speak to a server over HTTP; the server's own are `app.cli`."""

import typer

from rowlock.cli import figures, import_export, management, tasks, worker

app = typer.Typer()
for _group in (tasks, import_export, management, figures, worker):
    app.add_typer(_group.app)

__all__ = ["app"]
