"""What one process remembers of its claims, so that the next ones cost less. None of it is
needed: whatever is forgotten is read again."""

from app.queue.attempts.claim_marks import ClaimMarks
from app.queue.attempts.leased_tasks import LeasedTasks


class ClaimMemory:
    """Where its queues begin, and the tasks that it has handed out."""

    def __init__(self) -> None:
        self.marks = ClaimMarks()
        self.leased = LeasedTasks()

    def forget(self) -> None:
        """MySQL is another one than before, and may not have what was seen there."""
        self.marks.forget_all()
        self.leased.forget_all()
