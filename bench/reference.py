"""What the same calls would cost with nothing behind them: FastAPI as its documentation shows it.

A declared body model with the fields and bounds of a task, a declared answer, and nothing is
stored. `python -m bench.reference PORT`
"""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Priority(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Backoff(StrEnum):
    EXPONENTIAL = "exponential"
    FIXED = "fixed"


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,64}$")]


class NewTask(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title
    description: Annotated[str, StringConstraints(max_length=65_535)] | None = None
    priority: Priority = Priority.MEDIUM
    tags: Annotated[list[Tag], Field(max_length=32)] = []
    due_date: datetime | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=2_592_000)] = 300
    retry_limit: Annotated[int, Field(ge=0, le=100)] = 3
    retry_delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 5
    retry_backoff: Backoff = Backoff.EXPONENTIAL
    queue: QueueName = "default"
    payload: Any = None
    available_at: datetime | None = None


class Task(NewTask):
    id: int
    status: str = "to_do"
    current_retry_count: int = 0
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    result: Any = None
    error: str | None = None
    attempt: int = 0
    worker: str | None = None
    started_at: datetime | None = None
    progress: Any = None


app = FastAPI()
_ids = count(1)
_FIXED = Task(
    id=1,
    title="resize image 1",
    description="to half its width, for the catalogue",
    tags=["images", "nightly"],
    timeout_seconds=60,
    payload={"path": "/data/1.png", "width": 640},
    created_at=datetime.now(UTC),
    updated_at=datetime.now(UTC),
)


@app.post("/tasks", status_code=201)
async def submit(body: NewTask) -> Task:
    now = datetime.now(UTC)
    return Task(**body.model_dump(), id=next(_ids), created_at=now, updated_at=now)


@app.get("/tasks/{task_id}")
async def get(task_id: int) -> Task:  # noqa: ARG001 (it is validated)
    return _FIXED


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
    )
