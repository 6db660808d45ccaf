"""`rowlock schedule`: recurring schedules, one by one or from a file."""

from rowlock.cli.commands import commands_of
from rowlock.cli.groups import group
from rowlock.cli.schedule import applying, by_hand, changes, looks

_MODULES = (changes, looks, by_hand, applying)

schedule = group(
    "schedule",
    "Management",
    "Put, show, run, pause and delete recurring schedules, or apply a file of them.",
    (each for module in _MODULES for each in commands_of(module).values()),
)
