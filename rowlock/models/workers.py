"""Workers, and what they hold."""

from datetime import datetime

from rowlock.models.answer import Answer


class RegisteredWorker(Answer):
    """A worker, as the server last heard of it, up to 40 s ago.

    `state` is `running` while it holds tasks, `polling` if it has asked for some lately, else
    `silent`. `agent` is what its program calls itself. `queues` are those that it polls.
    """

    worker: str
    agent: str | None
    address: str | None
    queues: list[str]
    first_seen_at: datetime
    last_seen_at: datetime
    state: str
    running: int
    oldest_started_at: datetime | None


class HeldTask(Answer):
    """A task that a worker has under way."""

    task_id: int
    title: str
    queue: str
    attempt: int
    started_at: datetime
    deadline: datetime


class WorkerDetails(RegisteredWorker):
    """A worker with the tasks that it holds, the oldest first; 1,000 at most."""

    leases: list[HeldTask]
