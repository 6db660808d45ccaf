"""The model of dependencies: which task waits for which, and what follows at a commit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.dependency import OnParentFailure
from app.domain.states import ENDED, Status
from tests.model.calls import Refused
from tests.model.moments import Between
from tests.model.tasks import Task
from tests.support.calls import Document

FATES = {Status.FAILED: "has failed", Status.CANCELLED: "is cancelled"}
# One had failed and was retried since: the sweep looks whether another one has.
ANY = 0


@dataclass
class Child:
    """What a task depends on, and for what it is to be cancelled."""

    parents: list[int]
    on_failure: OnParentFailure
    cause: int | None = None


class Flows:
    """All dependencies between the tasks of a board."""

    def __init__(self, tasks: Mapping[int, Task]) -> None:
        self._tasks = tasks
        self._children: dict[int, Child] = {}
        # Tasks on which another one has depended, and whether those had ended at the last commit.
        self._ended: dict[int, bool] = {}
        # Those of them that had failed or were cancelled then.
        self._failed_ids: set[int] = set()

    def refused(self, asked: Sequence[Document]) -> Refused | None:
        """Why a submission is."""
        for fields in asked:
            for task_id in fields.get("depends_on", ()):
                if isinstance(task_id, str):
                    continue
                if task_id not in self._tasks:
                    return Refused(422, {})
                cancels = fields.get("on_parent_failure", "cancel") == OnParentFailure.CANCEL
                if cancels and self._tasks[task_id].status in FATES:
                    return Refused(409, {"dependency": task_id})
        return None

    def begin(self, asked: Document, task: Task, refs: Mapping[str, int], now: Between) -> None:
        """The task has an id by now. Whoever ends one of those that it depends on from memory must
        not miss it: they have changed."""
        parents = [refs.get(parent, parent) for parent in asked.get("depends_on", ())]
        for parent_id in parents:
            parent = self._tasks.get(parent_id)
            if parent_id not in self._ended and parent is not None:
                self._ended[parent_id] = parent.status in ENDED
                self._failed_ids |= {parent_id} if parent.status in FATES else set()
                if parent.status not in ENDED and parent_id not in refs.values():
                    parent.touch(now)
        if parents:
            how = OnParentFailure(asked.get("on_parent_failure", OnParentFailure.CANCEL))
            self._children[task.id] = Child(sorted(parents), how)
        if self.open_parents(task.id):
            task.waits_for_tasks, task.is_claimable = True, False

    def parents(self, task_id: int) -> list[Task]:
        """Those that are still there."""
        child = self._children.get(task_id)
        return [self._tasks[i] for i in child.parents if i in self._tasks] if child else []

    def open_parents(self, task_id: int) -> list[Task]:
        return [task for task in self.parents(task_id) if task.status not in ENDED]

    def is_needed(self, task: Task) -> bool:
        """Whether one that has not ended depends on it."""
        return any(
            task.id in child.parents and self._tasks[child_id].status not in ENDED
            for child_id, child in self._children.items()
            if child_id in self._tasks
        )

    def retry(self, task: Task) -> Refused | None:
        """It waits for its parents again, or may not be retried."""
        child = self._children.get(task.id)
        if child is None:
            return None
        failed = [parent.id for parent in self.parents(task.id) if parent.status in FATES]
        if failed and child.on_failure is OnParentFailure.CANCEL:
            return Refused(409, {"task_id": task.id, "dependency": failed[-1]})
        child.cause = None
        task.waits_for_tasks = bool(self.open_parents(task.id))
        return None

    def commit(self, now: Between) -> list[Task]:
        """A transaction ends: whoever has waited for what ended in it, and was freed."""
        for parent_id, had_ended in sorted(self._ended.items()):
            parent = self._tasks.get(parent_id)
            has_ended = parent is None or parent.status in ENDED
            is_gone = parent is None and (parent_id in self._failed_ids or not had_ended)
            if has_ended != had_ended or is_gone:
                is_good = parent is not None and parent.status is Status.DONE
                for child in self._children.values():
                    if parent_id in child.parents:
                        self._tell(
                            child, parent_id, has_ended=has_ended, is_good=is_good, is_gone=is_gone
                        )
            self._ended[parent_id] = has_ended
            self._failed_ids.discard(parent_id)
            self._failed_ids |= {parent_id} if parent and parent.status in FATES else set()
        for parent_id in self._ended.keys() - self._tasks.keys():
            del self._ended[parent_id]
        freed = [
            task
            for child, task in self._waiting()
            if child.cause is None and not self.open_parents(task.id)
        ]
        for task in freed:
            task.become_free(now)
        return freed

    def end_waits(self, now: Between) -> tuple[list[Task], list[Task]]:
        """The sweep: who is cancelled for what has become of a parent, level by level; and who is
        freed."""
        cancelled: list[Task] = []
        freed: list[Task] = []
        while due := [(child, task) for child, task in self._waiting() if child.cause is not None]:
            errors: list[tuple[Task, str]] = []
            for child, task in due:
                cause = child.cause or self._failed(task.id)
                child.cause = cause
                if cause is not None:
                    parent = self._tasks.get(cause)
                    fate = "was deleted" if parent is None else FATES[parent.status]
                    errors.append((task, f"dependency {cause} {fate}"))
            for task, error in errors:
                task.cascade(now, error)
                cancelled.append(task)
            freed += self.commit(now)
        return cancelled, freed

    def _failed(self, task_id: int) -> int | None:
        return next((task.id for task in self.parents(task_id) if task.status in FATES), None)

    def _tell(
        self, child: Child, parent_id: int, *, has_ended: bool, is_good: bool, is_gone: bool
    ) -> None:
        if not has_ended:
            child.cause = ANY if child.cause == parent_id else child.cause
        elif not is_good and child.on_failure is OnParentFailure.CANCEL:
            child.cause = parent_id if is_gone else child.cause or parent_id

    def _waiting(self) -> Iterator[tuple[Child, Task]]:
        for child_id, child in self._children.items():
            task = self._tasks.get(child_id)
            if task is not None and task.waits_for_tasks:
                yield child, task
