"""The deployment: its health, its processes, and what `rowlock doctor` finds."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.domain.findings import Verdict
from app.queue.processes import GAP_SECONDS, ProcessState


class HealthDocument(BaseModel):
    status: Literal["ok"]


class ReadinessDocument(BaseModel):
    status: Literal["ready", "not ready"]
    parts: dict[Literal["mysql", "schema", "redis", "scheduler"], str] = Field(
        examples=[{"mysql": "ok", "schema": "ok", "redis": "degraded", "scheduler": "ok"}]
    )


class MeDocument(BaseModel):
    doors: list[Literal["client", "worker", "admin", "viewer"]] = Field(
        description="What the token is for; all where no tokens are set. An `admin` and a `viewer` "
        "token open every GET."
    )
    version: str = Field(description="The server's.", examples=["0.1.0"])
    time: datetime | None = Field(description="MySQL's; null while it is away.")
    redis: str = Field(
        description="`ok`, `absent`, or `degraded` and why.",
        examples=["ok", "degraded: it is full (maxmemory)"],
    )
    retention_days: int | None = Field(
        description="After how many days tasks that ended are deleted; null: never."
    )


class FindingDocument(BaseModel):
    verdict: Verdict = Field(description="`note`: it works, but not as well as it could.")
    what: str = Field(examples=["sync_binlog"])
    detail: str
    fix: str | None = Field(
        description="A command or SQL that sets it right.",
        examples=["SET PERSIST sync_binlog = 1;"],
    )


class ExaminationDocument(BaseModel):
    """What `rowlock doctor` finds, up to 60 s ago."""

    verdict: Verdict = Field(description="The worst one.")
    age_seconds: float = Field(description="How long ago it was looked at.")
    findings: list[FindingDocument]


class ProcessDocument(BaseModel):
    id: str = Field(examples=["0123456789abcdef0123456789abcdef"])
    kind: Literal["api", "scheduler"]
    version: str
    running_since: datetime = Field(description="Since when it has been seen without a gap.")
    last_seen_at: datetime
    state: ProcessState = Field(
        description=f"`silent`: not seen for {GAP_SECONDS} s. It was killed, hangs, or does not "
        "reach MySQL. After a day it is forgotten."
    )


class SweepDocument(BaseModel):
    sweep: str = Field(examples=["promote"])
    runs: int
    moved: int = Field(description="How many tasks it has moved or deleted.")
    last_run_at: datetime = Field(description="As reported, every 5 s.")


class ProcessesDocument(BaseModel):
    """The processes, those seen last first, 1,000 at most; and what all schedulers together have
    done."""

    processes: list[ProcessDocument]
    sweeps: list[SweepDocument]
