"""What several of the commands about schedules take."""

from typing import Final

from rowlock.cli.commands import Argument
from rowlock.cli.values import words
from rowlock.client.schedule_calls import check_name

PANEL: Final = "Schedules"


class _Name:
    label = "NAME"
    limits = ""

    def __init__(self) -> None:
        self.offer = words()

    def of(self, text: str) -> str:
        check_name(text)
        return text


NAME: Final = Argument("name", _Name(), "Name of the schedule.")
NAMES: Final = Argument("names", _Name(), "Names of schedules.", is_many=True)
