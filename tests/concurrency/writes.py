"""Every kind of write there is, each on a task of its own, to be sent, looked at and sent again."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, Final, NamedTuple

import httpx
import orjson
from sqlalchemy import Engine, text

from app.domain.errors import DatabaseAwayError, RowBusyError
from app.domain.unique import hash_of
from app.service import sweeping
from app.service.resources import Resources
from tests.support.factories import TaskFactory, lease_of, now

BUSY: Final = 503
_SERIAL: Final = count()
# Whatever of it is there, in one row.
_LOOK: Final = """
    SELECT GROUP_CONCAT(CONCAT_WS(' ', status, priority, attempt, current_retry_count,
                                  claim_rank IS NULL, lease_token IS NULL) ORDER BY id),
           (SELECT COUNT(*) FROM task_tags JOIN tasks ON id = task_id WHERE queue = :queue),
           (SELECT COUNT(*) FROM task_attempts WHERE task_id = :task),
           (SELECT COUNT(*) FROM idempotency_keys JOIN tasks ON id = task_id WHERE queue = :queue),
           (SELECT COUNT(*) FROM task_dependencies WHERE parent_id = :task),
           (SELECT COUNT(*) FROM unique_keys JOIN tasks ON id = task_id WHERE queue = :queue)
    FROM tasks WHERE queue = :queue
"""


class Kind(NamedTuple):
    """A call, with what it needs filled in, or a sweep; and the state of the task before."""

    state: str | None
    method: str
    path: str
    body: Any = None


_NEXT: Final = [
    {"title": "next", "queue": "QUEUE", "tags": ["shared"]},
    {"title": "next", "queue": "QUEUE", "depends_on": ["TASK"], "on_parent_failure": "run"},
    {"title": "next", "queue": "QUEUE", "unique": {"key": "k"}},
]
KINDS: Final[dict[str, Kind]] = {
    "submit": Kind(None, "POST", "/tasks", {"title": "t", "queue": "QUEUE", "tags": ["shared"]}),
    "submit of many": Kind(
        None, "POST", "/tasks/batch", {"tasks": [{"title": "t", "queue": "QUEUE"}] * 3}
    ),
    "submit with a unique key": Kind(
        None, "POST", "/tasks", {"title": "t", "queue": "QUEUE", "unique": {"key": "k"}}
    ),
    "replace": Kind(
        "holding",
        "POST",
        "/tasks",
        {
            **{"title": "t", "queue": "QUEUE", "priority": "高", "tags": ["shared"]},
            "unique": {"key": "k", "conflict": "replace"},
        },
    ),
    "claim": Kind("to_do", "POST", "/leases", {"worker": "w", "queues": ["QUEUE"]}),
    "claim what holds a key": Kind(
        "holding", "POST", "/leases", {"worker": "w", "queues": ["QUEUE"]}
    ),
    "delete what holds a key": Kind("holding", "DELETE", "/tasks/TASK"),
    "complete": Kind("in_progress", "POST", "/leases/LEASE/complete", {"result": 1}),
    "fail": Kind("in_progress", "POST", "/leases/LEASE/fail", {"error": "no"}),
    "release": Kind("in_progress", "POST", "/leases/LEASE/release"),
    "complete and submit": Kind(
        "in_progress", "POST", "/leases/LEASE/complete", {"submit": _NEXT[:1] * 2}
    ),
    "fail and submit": Kind("in_progress", "POST", "/leases/LEASE/fail", {"submit": _NEXT}),
    "finish and submit": Kind(
        "in_progress",
        "POST",
        "/leases/finish",
        {"items": [{"lease_id": "LEASE", "outcome": "complete", "submit": _NEXT}]},
    ),
    "finish and claim": Kind(
        "in_progress",
        "POST",
        "/leases/finish",
        {
            "items": [{"lease_id": "LEASE", "outcome": "complete"}],
            "claim": {"worker": "w", "queues": ["QUEUE"]},
        },
    ),
    "patch": Kind("to_do", "PATCH", "/tasks/TASK", {"priority": "高", "tags": ["shared"]}),
    "delete": Kind("to_do", "DELETE", "/tasks/TASK"),
    "cancel": Kind("in_progress", "POST", "/admin/tasks/TASK/cancel"),
    "cancel of many": Kind("to_do", "POST", "/admin/tasks/cancel?queue=QUEUE"),
    "delete of many": Kind("to_do", "POST", "/admin/tasks/delete?queue=QUEUE&limit=5"),
    "time out": Kind("overdue", "SWEEP", "time_out"),
    "promote": Kind("delayed", "SWEEP", "promote"),
}


class Write:
    """One write. Of submissions each has a key, so that it may be sent again."""

    def __init__(
        self, kind: str, *, api: httpx.AsyncClient, resources: Resources, engine: Engine
    ) -> None:
        self.kind = KINDS[kind]
        self._api = api
        self._resources = resources
        self._engine = engine
        self.queue = f"queue-{next(_SERIAL)}"
        self.task_id = 0
        filled_in = {"QUEUE": self.queue}
        if self.kind.state is not None:
            traits: dict[str, Any] = {self.kind.state: True} if self.kind.state != "to_do" else {}
            if self.kind.state == "holding":
                traits = {"flags": 128, "unique_key": "k"}
            task = TaskFactory(queue=self.queue, **traits)
            if self.kind.state == "holding":
                self._holds(task.id)
            if self.kind.state == "delayed":
                self._is_due(task.id)
            self.task_id = task.id
            # In a body it is a number.
            filled_in |= {'"TASK"': str(task.id), "TASK": str(task.id), "LEASE": lease_of(task)}
        self._path, body = self.kind.path, orjson.dumps(self.kind.body).decode()
        for name, value in filled_in.items():
            self._path = self._path.replace(name, value)
            body = body.replace(name, value)
        self._body = orjson.loads(body)
        self.before = self.look()

    async def send(self) -> int:
        """The status of the answer; one that says to come back says when."""
        if self.kind.method == "SWEEP":
            sweep: Callable[[Resources], Awaitable[int]] = sweeping.SWEEPS[self._path]
            try:
                await sweep(self._resources)
            except (DatabaseAwayError, RowBusyError):
                return BUSY
            return 200
        headers = {"Idempotency-Key": self.queue} if self._path.startswith("/tasks") else {}
        answer = await self._api.request(
            self.kind.method, self._path, json=self._body, headers=headers
        )
        if answer.status_code == BUSY:
            assert int(answer.headers["retry-after"]) > 0
        else:
            assert answer.status_code < 500, answer.text
        return answer.status_code

    def look(self) -> tuple[Any, ...]:
        """What is stored of it."""
        with self._engine.connect() as connection:
            asked = {"queue": self.queue, "task": self.task_id}
            return tuple(connection.execute(text(_LOOK), asked).one())

    def _holds(self, task_id: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                text("INSERT INTO unique_keys VALUES (:key_hash, :id)"),
                {"key_hash": hash_of(self.queue, "k"), "id": task_id},
            )

    def _is_due(self, task_id: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                text("UPDATE tasks SET available_at = :now, sweep_at = :now WHERE id = :id"),
                {"now": now(), "id": task_id},
            )
