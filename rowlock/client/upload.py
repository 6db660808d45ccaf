"""Many tasks, stored batch by batch."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from rowlock.client import calls
from rowlock.client.fields import NewTask, encode_fields
from rowlock.errors import RowlockError
from rowlock.http.flows import Flow, ask
from rowlock.http.retry import RetryBudget

BATCH_LIMIT: Final = 1000
# The server takes 16 MiB.
BATCH_LIMIT_BYTES: Final = 8 * 1024 * 1024

Batch = list[bytes]


class Upload:
    """Gathers tasks into batches and keeps the ids of those that are stored, in order.

    Each batch has an idempotency key of its own, made of `idempotency_key` and its number: the
    same tasks in the same batches under the same key are stored once, however often.
    """

    def __init__(
        self,
        batch_size: int,
        idempotency_key: str | None,
        progress: Callable[[int], object] | None,
        budget: RetryBudget,
    ) -> None:
        if not 1 <= batch_size <= BATCH_LIMIT:
            raise ValueError(f"batch_size must be from 1 to {BATCH_LIMIT:,}")
        self.ids: list[int] = []
        self._batch_size = batch_size
        self._key = idempotency_key or uuid4().hex
        self._progress = progress
        self._budget = budget
        self._batch: Batch = []
        self._bytes = 0
        self._number = 0

    def add(self, task: NewTask) -> Batch | None:
        """Take a task; the batch that is full now, if one is, to be stored before the next."""
        encoded = encode_fields(task)
        full = None
        if self._batch and self._bytes + len(encoded) > BATCH_LIMIT_BYTES:
            full = self.rest()
        self._batch.append(encoded)
        self._bytes += len(encoded)
        if full is None and len(self._batch) == self._batch_size:
            full = self.rest()
        return full

    def rest(self) -> Batch | None:
        """What is left."""
        batch, self._batch, self._bytes = self._batch, [], 0
        return batch or None

    def store(self, batch: Batch) -> Flow[None]:
        """Store a batch, all or none. Raises `RowlockError`, with a note on what is stored."""
        call = calls.submit_batch(batch, f"{self._key}-{self._number}")
        try:
            tasks = yield from ask(call, self._budget)
        except RowlockError as error:
            first = len(self.ids)
            error.add_note(
                f"The first {first} tasks are stored. The batch that failed holds the next "
                f"{len(batch)}, of which `tasks.0` is the first."
            )
            raise
        self._number += 1
        self.ids += [task.id for task in tasks]
        if self._progress is not None:
            self._progress(len(self.ids))
