"""What a handler returns that has a result and knows what comes next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rowlock.client.fields import NewTask


@dataclass(frozen=True)
class Done:
    """Returned by a handler: its result, and up to 100 tasks that come of it.

    They are stored with the end of the attempt: both, or neither where the lease was lost, and once
    however often the worker has to tell of it. They are as `submit_batch` takes them, so that one
    may depend on another, or on the task that ends. If the server refuses one, the task fails.
    """

    result: Any = None
    then: Iterable[NewTask] = ()
