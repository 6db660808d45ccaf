"""The server's commands, as the entry points `rowlock.commands` name them."""

from app.cli import app as server
from bench.command import app as bench

__all__ = ["bench", "server"]
