"""The server's commands, as the entry points `rowlock.commands` name them."""

from app.cli import dev, doctor, migrate, recount, scheduler, serve
from bench.command import bench

__all__ = ["bench", "dev", "doctor", "migrate", "recount", "scheduler", "serve"]
