"""Tasks that no handler of this worker is for: released, for a worker that has one."""

from typing import Final

from rowlock.models import Task
from rowlock.worker.log import log

FIRST_DELAY_SECONDS: Final = 1
LONGEST_DELAY_SECONDS: Final = 300
# Each is logged once; of more than so many the log begins anew.
TITLES_LIMIT: Final = 1000


class UnknownTitleError(Exception):
    """There is no handler for the task; it may be claimed again after `delay_seconds`."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"This worker has no handler for {task.title!r}.")
        self.delay_seconds = delay_seconds(task)


class UnknownTitles:
    """The titles that were logged: once each, however many tasks come and come again."""

    def __init__(self) -> None:
        self._titles: set[str] = set()

    def note(self, title: str) -> None:
        """A task with this title has come."""
        if title in self._titles:
            return
        if len(self._titles) == TITLES_LIMIT:
            self._titles.clear()
        self._titles.add(title)
        log.warning(
            "there is no handler for tasks titled %r: each is released, for a worker that has "
            "one, for longer each time, up to %d s",
            title,
            LONGEST_DELAY_SECONDS,
        )


def delay_seconds(task: Task) -> int:
    """Twice as long each time the task is released, by whichever worker: its attempts that cost
    no retry are counted, so that nobody has to remember."""
    releases = max(0, task.attempt - 1 - task.current_retry_count)
    # 9 doublings are past the longest; more would only cost digits.
    return min(FIRST_DELAY_SECONDS << min(releases, 9), LONGEST_DELAY_SECONDS)
