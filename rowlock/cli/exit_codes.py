"""How a command says what came of it."""

from typing import Final

FAILED: Final = 1
USAGE: Final = 2
# The command went well; the task did not.
TASK_NOT_DONE: Final = 3
NOT_IN_TIME: Final = 4
# It went well, and something is not as it is to be.
DIFFERS: Final = 3
# As shells say it of Ctrl-C.
INTERRUPTED: Final = 130
