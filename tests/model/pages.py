"""The model of a walk through the pages of a list, while tasks come, change and go."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.model.lists import Filter, matches
from tests.model.moments import Between, bounds
from tests.support.calls import Document
from tests.support.elapse import moment


@dataclass(eq=False)
class Walk:
    """From the first page to the last; `standing` have matched since before the first."""

    wanted: Filter
    is_ascending: bool
    limit: int
    standing: set[int]
    seen: list[Document] = field(default_factory=list)
    next: str | None = None

    def turn(self, page: Sequence[Document], link: str | None) -> None:
        """A page is read. No task comes twice, each comes in its order, and in the end none is
        missing that stood throughout."""
        assert len(page) <= self.limit
        for document in page:
            shown = timed(document)
            assert matches(shown, self.wanted), document
            assert shown["id"] not in {one["id"] for one in self.seen}, "it came twice"
            if self.seen:
                last, this = place(self.seen[-1]), place(shown)
                assert (last < this) == self.is_ascending, f"{last} and then {this}"
            self.seen.append(shown)
        self.next = link
        if link is None:
            missed = self.standing - {document["id"] for document in self.seen}
            assert not missed, f"{missed} stood throughout"


def timed(document: Document) -> Document:
    """With moments for the times that filters look at."""
    names = ("created_at", "due_date", "completed_at", "available_at")
    return {**document, **{name: document[name] and moment(document[name]) for name in names}}


def place(shown: Document) -> tuple[Between, int]:
    """Where it stands in lists."""
    return bounds(shown["created_at"]), shown["id"]
