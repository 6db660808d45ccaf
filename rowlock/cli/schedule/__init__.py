"""`rowlock schedule`: recurring schedules."""

from rowlock.cli.commands import commands_of
from rowlock.cli.groups import group
from rowlock.cli.schedule import by_hand, changes, looks

_MODULES = (changes, looks, by_hand)

schedule = group(
    "schedule",
    "Management",
    "Put, show, run, pause and delete recurring schedules.",
    (each for module in _MODULES for each in commands_of(module).values()),
)
