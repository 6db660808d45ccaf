"""A worker whose tasks are nothing: what is left is what the SDK costs."""

from rowlock import RunningAttempt, Task, Worker

worker = Worker()


@worker.handler
async def nothing(_task: Task, _attempt: RunningAttempt) -> None:
    """Done."""
