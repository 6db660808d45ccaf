"""Flows: tasks that depend on each other, stored together."""

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack
from uuid import uuid4

from rowlock.client import calls, trace
from rowlock.client.fields import MemberFields
from rowlock.client.flow_plan import Member, batches, in_order
from rowlock.errors import RowlockError
from rowlock.http import flows
from rowlock.http.retry import RetryBudget
from rowlock.models import Task

T = TypeVar("T")


class FlowFields(MemberFields, total=False):
    """The optional fields of a flow's task."""

    payload: Any
    depends_on: Sequence[int | Task | Member]


class _Members:
    """What a flow has so far, and how it is stored."""

    def __init__(self, budget: RetryBudget, idempotency_key: str | None) -> None:
        self._budget = budget
        self._key = idempotency_key or uuid4().hex
        self._members: list[Member] = []
        self._names: set[str] = set()
        self._is_closed = False

    def submit(
        self, title: str, *, name: str | None = None, **fields: Unpack[FlowFields]
    ) -> Member:
        """Add a task, which is stored at the end of the block. `depends_on` may have earlier ones
        of the flow. By its `name` the tasks that depend on it find it in `attempt.parents()`.

        Raises `ValueError` for a name that the flow has already.
        """
        if self._is_closed:
            raise RuntimeError("the flow's block has ended")
        if name is not None and name in self._names:
            raise ValueError(f"the flow has a task named {name!r} already")
        named = fields.get("depends_on", ())
        depends_on = tuple(dict.fromkeys(t.id if isinstance(t, Task) else t for t in named))
        for each in depends_on:
            if isinstance(each, Member) and each not in self._members:
                raise ValueError(f"{each!r} is a task of another flow: name it by its task")
        member = Member(title, name, {**fields, "depends_on": depends_on})
        self._members.append(member)
        if name is not None:
            self._names.add(name)
        return member

    def _store(self) -> flows.Flow[None]:
        """Raises `RowlockError`, with a note on what is stored, and `ValueError`."""
        stored = 0
        for number, batch in enumerate(batches(in_order(self._members), self._names)):
            call = calls.submit_batch(batch.bodies, f"{self._key}-{number}")
            try:
                tasks = yield from flows.ask(call, self._budget)
            except RowlockError as error:
                if stored:
                    error.add_note(f"The first {stored:,} tasks of the flow are stored already.")
                raise
            for member, task in zip(batch.members, tasks, strict=True):
                member._task = task
            stored += len(tasks)


class Flow(_Members):
    """Tasks that depend on each other: a `with` block that ends without an exception stores them,
    one that raises stores nothing.

        with client.flow() as flow:
            rows = flow.submit("extract", name="rows")
            flow.submit("load", depends_on=[rows])
        rows.id

    Up to 1,000 tasks with 10,000 dependencies are stored all or none. Larger flows are stored
    batch by batch, each all or none, and what is stored runs already: if one that is stored has
    failed meanwhile, those that depend on it are refused with `ConflictError`. Names are known
    among tasks of the same batch.

    A task may depend on any number of others. Of more than 1,000, those beyond must depend on
    nothing themselves, and nothing else of the flow on them, or else it is a `ValueError`: they
    are stored after it, while it waits for the first ones. If these have ended before that, it
    waits no longer: `ConflictError`.
    """

    def __init__(
        self,
        run: Callable[[flows.Flow[None]], None],
        budget: RetryBudget,
        idempotency_key: str | None,
    ) -> None:
        super().__init__(budget, idempotency_key)
        self._run = run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_closed = True
        if error is None:
            with trace.submitting(None) as span:
                self._run(self._store())
                span.stored([member.id for member in self._members])


class AsyncFlow(_Members):
    """The same for asyncio, with `async with`."""

    def __init__(
        self,
        run: Callable[[flows.Flow[None]], Awaitable[None]],
        budget: RetryBudget,
        idempotency_key: str | None,
    ) -> None:
        super().__init__(budget, idempotency_key)
        self._run = run

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_closed = True
        if error is None:
            with trace.submitting(None) as span:
                await self._run(self._store())
                span.stored([member.id for member in self._members])
