"""A web service that does tasks, and takes them from holders of the signing key only.

ROWLOCK_SIGNING_KEY=… uvicorn service:app --port 9000
"""

import hashlib
import hmac
import os
import sys
import time
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, ValidationError

MAX_AGE_SECONDS = 300
# With an empty key everybody could sign.
KEY = os.environ.get("ROWLOCK_SIGNING_KEY") or sys.exit("ROWLOCK_SIGNING_KEY must be set.")

app = FastAPI()


class Line(BaseModel):
    product: str
    cents: int
    count: int = 1


class Order(BaseModel):
    lines: list[Line]


class Task(BaseModel):
    """As much of a task as is needed here."""

    id: int
    payload: Order


async def signed_task(
    request: Request,
    rowlock_timestamp: Annotated[str, Header()] = "",
    rowlock_signature: Annotated[str, Header()] = "",
) -> Task:
    # The bytes as they came: JSON that was read and written again may differ.
    body = await request.body()
    signed = f"{rowlock_timestamp}.".encode() + body
    expected = "v1=" + hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), rowlock_signature.encode()):
        raise HTTPException(401, "The signature is missing or wrong.")
    # Whoever has seen a signed task pass by must not be able to send it again tomorrow.
    if abs(time.time() - int(rowlock_timestamp)) > MAX_AGE_SECONDS:
        raise HTTPException(401, "The signature is too old.")
    try:
        return Task.model_validate_json(body)
    except ValidationError as error:
        raise HTTPException(422, str(error)) from error


@app.post("/tasks")
def invoice(task: Annotated[Task, Depends(signed_task)]) -> dict[str, object]:
    total = sum(line.cents * line.count for line in task.payload.lines)
    return {"invoice": f"I-{task.id}", "cents": total}
