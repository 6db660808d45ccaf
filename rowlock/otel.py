"""OpenTelemetry (`pip install "rowlock[otel]"`): a submit and the attempts of its tasks are one
trace, in whatever processes.

    from rowlock import otel

    otel.trace_submits()  # once in a process that submits
    worker.around(otel.traced)  # in the worker

Names and attributes are those of the semantic conventions for messaging.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace as otel
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import rowlock
from rowlock.client import trace
from rowlock.models import Task
from rowlock.worker.attempt import RunningAttempt

_PROPAGATOR: Final = TraceContextTextMapPropagator()


def trace_submits() -> None:
    """From now on each submit of this process is a span (`submit images`, of kind producer), and
    each of its tasks keeps it as its parent. Submits that are traced do not share calls."""
    trace.trace_by(_submitting)


async def traced(task: Task, attempt: RunningAttempt) -> AsyncIterator[None]:
    """For `Worker.around`: each attempt is a span (`process images`, of kind consumer), below the
    submit of its task. What the handler raises is recorded."""
    parent = _PROPAGATOR.extract({"traceparent": task.traceparent or ""})
    attributes = {
        **_attributes("process", task.queue),
        "messaging.message.id": str(task.id),
        "rowlock.task.title": task.title,
        "rowlock.attempt": attempt.number,
    }
    with _tracer().start_as_current_span(
        f"process {task.queue}",
        parent,
        SpanKind.CONSUMER,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except BaseException as error:
            _fail(span, error, kind=attempt.lost)
            raise


class _Submit:
    def __init__(self, span: Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        self.traceparent = carrier.get("traceparent")

    def stored(self, task_ids: Sequence[int]) -> None:
        if len(task_ids) == 1:
            self._span.set_attribute("messaging.message.id", str(task_ids[0]))
        else:
            self._span.set_attribute("messaging.batch.message_count", len(task_ids))


@contextmanager
def _submitting(queue: str | None) -> Iterator[_Submit]:
    with _tracer().start_as_current_span(
        "submit" if queue is None else f"submit {queue}",
        kind=SpanKind.PRODUCER,
        attributes=_attributes("send", queue),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield _Submit(span)
        except BaseException as error:
            _fail(span, error)
            raise


def _tracer() -> otel.Tracer:
    return otel.get_tracer("rowlock", rowlock.__version__)


def _attributes(operation: str, queue: str | None) -> dict[str, Any]:
    attributes = {
        "messaging.system": "rowlock",
        "messaging.operation.type": operation,
        "messaging.operation.name": "submit" if operation == "send" else operation,
    }
    return attributes if queue is None else {**attributes, "messaging.destination.name": queue}


def _fail(span: Span, error: BaseException, *, kind: str | None = None) -> None:
    """`kind` is why an attempt was taken away."""
    name = kind or type(error).__qualname__
    span.set_attribute("error.type", name)
    span.set_status(Status(StatusCode.ERROR, name if kind else f"{name}: {error}"))
    if kind is None:
        span.record_exception(error)
