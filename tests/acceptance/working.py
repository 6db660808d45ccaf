"""Running `rowlock worker`s."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.local.child import Child
from rowlock import Client
from tests.acceptance.deployment import Api


class WorkerProcess:
    """A running `rowlock worker`, and the tasks that it has done."""

    def __init__(self, name: str, api: Api, home: Path, *options: str) -> None:
        self.name = name
        self.notes = home / f"{name}.ran"
        self._log = home / f"{name}.log"
        self.child = Child(
            name,
            [sys.executable, "-m", "app", "worker", "--name", name, *options],
            log=self._log,
            environment=os.environ | {"ROWLOCK_URL": api.url, "RAN": str(self.notes)},
        )

    @property
    def words(self) -> str:
        return self._log.read_text()

    def ran(self) -> Counter[int]:
        """How often each task has been run to its end."""
        return Counter(map(int, self.notes.read_text().split() if self.notes.exists() else ()))

    def children(self) -> set[int]:
        """The processes that it has started."""
        pid = self.child.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)

    def ends(self, seconds: float = 15.0) -> None:
        """Check that it ends well."""
        assert self.child.ends_within(seconds), self.words
        assert self.child.exit_code() == 0, self.words
        assert "Traceback" not in self.words


Work = Callable[..., WorkerProcess]


def count(client: Client, status: str) -> int:
    return sum(sum(queue.tasks[status].values()) for queue in client.admin.queues())
