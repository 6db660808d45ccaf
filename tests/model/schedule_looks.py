"""What recurring schedules look like: their documents, their runs, page by page."""

from collections.abc import Iterator

from tests.model.calls import Refused
from tests.model.machine import Machine
from tests.model.moments import Between, agree
from tests.model.schedules import Schedule
from tests.support.calls import Document
from tests.support.elapse import moment


class ScheduleLooks(Machine):
    """Looks at schedules."""

    def _schedule(self, name: str) -> Schedule | Refused:
        return self.board.schedules.get(name) or Refused(404, {"schedule": name})

    def _shows_schedule(self, document: Document, schedule: Schedule) -> None:
        changed_at = schedule.shown["updated_at"]
        if isinstance(changed_at, Between):
            schedule.count_from(moment(document["updated_at"]))
        agree(schedule.template, document["task"])
        agree(schedule.shown, {name: document[name] for name in document if name != "task"})

    def _look_at_schedules(self, process: int, pages: int = 1) -> None:
        expected = [schedule for _, schedule in sorted(self.board.schedules.items())]
        found = self._pages(process, "/schedules", len(expected), pages)
        for schedule, document in zip(expected, found, strict=True):
            self._shows_schedule(document, schedule)

    def _look_at_runs(self, process: int, schedule: Schedule, pages: int = 1) -> None:
        path = f"/schedules/{schedule.name}/runs"
        found = self._pages(process, path, len(schedule.runs), pages)
        expected = sorted(schedule.runs, key=lambda run: run["occurrence_at"], reverse=True)
        for run, document in zip(expected, found, strict=True):
            agree(run, document)

    def _pages(self, process: int, path: str, expected: int, pages: int) -> Iterator[Document]:
        """What so many pages have, and more if there is more."""
        limit = min(max(-(-expected // pages), 1), 1000)
        answer = self.world.call(process, "GET", path, params={"limit": str(limit)})
        yield from answer.json()
        while "next" in answer.links:
            path = str(answer.url.join(answer.links["next"]["url"]))
            answer = self.world.call(process, "GET", path)
            yield from answer.json()
