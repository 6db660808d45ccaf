"""`rowlock queue`: one queue, and what is set for it."""

from rowlock.cli.groups import group
from rowlock.cli.queue import settings

queue = group("queue", "Management", "Show and change one queue.", (settings.show,))
