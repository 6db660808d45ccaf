"""The server: what a token opens, its processes, and what it finds of its MySQL."""

from datetime import datetime

from rowlock.models.answer import Answer


class Me(Answer):
    """What the token opens, and the server. `doors` are `client`, `worker`, `admin` and `viewer`;
    the last two open every call that only reads. `time` is MySQL's, None while it is away. `redis`
    is `ok`, `absent`, or `degraded` and why. `retention_days`: when tasks that ended are deleted.
    """

    doors: list[str]
    version: str
    time: datetime | None
    redis: str
    retention_days: int | None


class Finding(Answer):
    """One thing that was looked at. `verdict` is `ok`, `note` or `bad`; `fix` is a command or SQL
    that sets it right."""

    verdict: str
    what: str
    detail: str
    fix: str | None = None


class Examination(Answer):
    """What the server finds of its MySQL and its Redis; `verdict` is the worst one."""

    verdict: str
    age_seconds: float
    findings: list[Finding]


class ServerProcess(Answer):
    """An API process or a scheduler. `kind` is `api` or `scheduler`; `state` is `running`, or
    `silent` if it has not been seen for some seconds."""

    id: str
    kind: str
    version: str
    running_since: datetime
    last_seen_at: datetime
    state: str


class Sweep(Answer):
    """What all schedulers together have done of one sweep."""

    sweep: str
    runs: int
    moved: int
    last_run_at: datetime


class Processes(Answer):
    """The server's processes, and their sweeps."""

    processes: list[ServerProcess]
    sweeps: list[Sweep]
