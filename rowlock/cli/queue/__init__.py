"""`rowlock queue`: one queue, its groups, and what is set for it."""

from rowlock.cli.groups import group
from rowlock.cli.queue import limits, settings

queue = group(
    "queue",
    "Management",
    "Show and change one queue, its groups and their limits.",
    (
        settings.show,
        limits.groups,
        group(
            "queue group",
            "Management",
            "Set and unset a group's own limit and weight.",
            (limits.set_group, limits.unset),
        ),
    ),
)
