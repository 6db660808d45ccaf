"""Tasks to submit, as models, and what they come to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from app.api import fields
from app.api.schemas import Input, TaskTemplate
from app.domain.dependency import ByRef, Depends, OnParentFailure
from app.domain.task import NewTask
from app.domain.unique import Conflict
from app.http.problems import FieldError, InvalidRequestError
from app.queue.requests import Submission

EDGES_LIMIT: Final = 10_000
_SHARED_REJECT: Final = "is another item's too, and its conflict is reject"


def _once(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


Blocks = Annotated[list[fields.OtherTaskId], Field(max_length=16), AfterValidator(_once)]


class SubmitTask(TaskTemplate):
    """A task to submit."""

    available_at: fields.Time | None = Field(
        default=None, description="Earliest time at which it may be claimed."
    )
    depends_on: Annotated[
        list[fields.OtherTaskId], Field(max_length=1000), AfterValidator(_once)
    ] = Field(default=[], description="It is not claimed before these tasks have ended.")
    on_parent_failure: OnParentFailure | None = Field(
        default=None,
        description="If a task that it depends on fails or is cancelled: `cancel` (default) "
        "cancels it too, `run` runs it all the same.",
    )
    blocks: Blocks = Field(
        default=[],
        description="Tasks that still wait for other tasks, and shall wait for this one too.",
    )

    @field_validator("available_at")
    @classmethod
    def _is_not_debounced(cls, time: datetime | None, info: ValidationInfo) -> datetime | None:
        unique = info.data.get("unique")
        if time is not None and unique is not None and unique.debounce_seconds is not None:
            raise ValueError("must be left out where there is debounce_seconds, which sets it")
        return time

    @field_validator("on_parent_failure")
    @classmethod
    def _has_parents(
        cls, how: OnParentFailure | None, info: ValidationInfo
    ) -> OnParentFailure | None:
        if how is not None and info.data.get("depends_on") == []:
            raise ValueError("must be left out where there is no depends_on")
        return how

    @field_validator("blocks")
    @classmethod
    def _has_no_parents(cls, ids: list[int], info: ValidationInfo) -> list[int]:
        # So no task ever waits for itself: each has only earlier ones before it.
        if ids and info.data.get("depends_on"):
            raise ValueError("must be left out where there is depends_on")
        return ids

    def to_submit(self, traceparent: str | None, depends: Depends | None) -> NewTask:
        """For the queue."""
        task = self.to_new_task(traceparent, available_at=self.available_at)
        return task._replace(depends=depends)


class SubmitItem(SubmitTask):
    """A task to submit in a batch."""

    ref: fields.Ref | None = Field(
        default=None, description="A name by which later items of the batch may depend on it."
    )
    depends_on: Annotated[list[fields.TaskOrRef], Field(max_length=1000), AfterValidator(_once)] = (
        Field(
            default=[],
            description="It is not claimed before these tasks have ended: ids, or the `ref`s of "
            "earlier items.",
        )
    )


class SubmitBatch(Input):
    """Tasks to submit; either all are stored or none."""

    tasks: Annotated[list[SubmitItem], Field(min_length=1, max_length=1000)]


def submission(body: SubmitTask, key: str | None, traceparent: str | None) -> Submission:
    """Of one task."""
    depends = None
    if body.depends_on or body.blocks:
        depends = _depends(body, tuple(body.depends_on), ())
    tasks = [body.to_submit(traceparent, depends)]
    if key is None:
        return Submission(tasks)
    return Submission(tasks, key, body_hash([body], is_batch=False))


def batch_submission(body: SubmitBatch, key: str | None, traceparent: str | None) -> Submission:
    """Of a batch. Raises `InvalidRequestError` for what is wrong between its items."""
    tasks = new_tasks(body.tasks, traceparent, within="tasks")
    if key is None:
        return Submission(tasks)
    return Submission(tasks, key, body_hash(body.tasks, is_batch=True))


def new_tasks(
    items: Sequence[SubmitItem], traceparent: str | None = None, *, within: str
) -> list[NewTask]:
    """Tasks that are stored together, from the field that they are in. Raises
    `InvalidRequestError` for what is wrong between them."""
    if not items:
        return []
    if faults := [*_shared_rejects(items, within)]:
        raise InvalidRequestError(faults)
    return [
        item.to_submit(traceparent, depends)
        for item, depends in zip(items, _all_depends(items, within), strict=True)
    ]


def body_hash(asked: Sequence[SubmitTask], *, is_batch: bool) -> str:
    """What stands for a body: its fields by name, but those at their defaults, so that a field
    that is new some day voids no key. The version is for when that cannot be kept up."""
    said_of_tasks = [task.model_dump(exclude_defaults=True) for task in asked]
    said = {"version": 1, "is_batch": is_batch, "tasks": said_of_tasks}
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _shared_rejects(asked: Sequence[SubmitTask], within: str) -> Iterator[FieldError]:
    """A key that two items have, one of which rejects: that could never be stored."""
    keys = [None if t.unique is None else (t.queue, t.unique.key) for t in asked]
    counts = Counter(keys)
    for place, (task, key) in enumerate(zip(asked, keys, strict=True)):
        if task.unique is not None and task.unique.conflict is Conflict.REJECT and counts[key] > 1:
            yield FieldError(f"{within}.{place}.unique.key", _SHARED_REJECT)


def _all_depends(items: Sequence[SubmitItem], within: str) -> list[Depends | None]:
    """What each item depends on. Raises `InvalidRequestError`."""
    if sum(len(item.depends_on) + len(item.blocks) for item in items) > EDGES_LIMIT:
        raise InvalidRequestError(
            [FieldError(within, f"must have at most {EDGES_LIMIT:,} dependencies together")]
        )
    faults: list[FieldError] = []
    known: dict[str, int] = {}
    later = {item.ref for item in items}
    found: list[Depends | None] = []
    for place, item in enumerate(items):
        refs: list[ByRef] = []
        for number, name in enumerate(item.depends_on):
            if isinstance(name, int):
                continue
            fault = _fault_of(name, items, known, later)
            if fault is not None:
                faults.append(FieldError(f"{within}.{place}.depends_on.{number}", fault))
            else:
                refs.append(ByRef(known[name], name))
        if item.ref in known:
            faults.append(FieldError(f"{within}.{place}.ref", "is another item's too"))
        elif item.ref is not None:
            known[item.ref] = place
        if item.depends_on or item.blocks:
            ids = tuple(i for i in item.depends_on if isinstance(i, int))
            found.append(_depends(item, ids, tuple(refs), item.ref, f"{within}.{place}."))
        else:
            found.append(None)
    if faults:
        raise InvalidRequestError(faults)
    return found


def _fault_of(
    name: str, items: Sequence[SubmitItem], known: dict[str, int], later: set[str | None]
) -> str | None:
    if name not in known:
        return "must be the ref of an earlier item" if name in later else "is no item's ref"
    if items[known[name]].unique is not None:
        return "names an item with a unique key, for which another task may stand"
    return None


def _depends(
    task: SubmitTask,
    ids: tuple[int, ...],
    refs: tuple[ByRef, ...],
    ref: str | None = None,
    prefix: str = "",
) -> Depends:
    how = task.on_parent_failure or OnParentFailure.CANCEL
    places = tuple(n for n, named in enumerate(task.depends_on) if isinstance(named, int))
    return Depends(ids, refs, how, tuple(task.blocks), ref, prefix, places)
