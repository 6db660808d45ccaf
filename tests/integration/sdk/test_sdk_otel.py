"""OpenTelemetry: a submit and the attempts of its task are one trace, through the server."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from rowlock import AsyncClient, RunningAttempt, Task, otel
from rowlock.client.trace import trace_by
from tests.support.sdk import Face, Through, a_worker, working

pytest_plugins = ["tests.support.sdk_clients"]


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Gets the spans of this test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    otel.trace_submits()
    yield exporter
    trace_by(None)


def spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_submit_and_its_attempts_are_one_trace(
    client: Face, through: Through, exporter: InMemorySpanExporter
) -> None:
    worker = a_worker(through, queues=["images"])
    worker.around(otel.traced)
    inner: list[int] = []

    @worker.handler("resize")
    def resize(task: Task, attempt: RunningAttempt) -> None:
        inner.append(trace.get_current_span().get_span_context().trace_id)
        if attempt.number == 1:
            raise KeyError("colour")

    # Two at once share no call: each has a parent of its own.
    one, other = await asyncio.gather(
        client.submit("resize", queue="images", retry_delay_seconds=0),
        client.submit("resize", queue="images", retry_delay_seconds=0),
    )
    await worker.run_async(drain=True)
    finished = exporter.get_finished_spans()
    submits = [span for span in finished if span.name == "submit images"]
    attempts = [span for span in finished if span.name == "process images"]
    assert len({span.context.trace_id for span in finished if span.context}) == 2
    assert len(submits) == 2
    assert len(attempts) == 4
    for task in (one, other):
        (submit,) = (s for s in submits if attributes(s)["messaging.message.id"] == str(task.id))
        tries = [s for s in attempts if attributes(s)["messaging.message.id"] == str(task.id)]
        assert submit.context is not None
        assert task.traceparent is not None
        assert task.traceparent.split("-")[1:3] == [
            f"{submit.context.trace_id:032x}",
            f"{submit.context.span_id:016x}",
        ]
        assert submit.kind is SpanKind.PRODUCER
        assert attributes(submit) == {
            "messaging.system": "rowlock",
            "messaging.operation.type": "send",
            "messaging.operation.name": "submit",
            "messaging.destination.name": "images",
            "messaging.message.id": str(task.id),
        }
        for span in tries:
            assert span.parent is not None
            assert span.parent.span_id == submit.context.span_id
            assert span.parent.is_remote
            assert span.kind is SpanKind.CONSUMER
        failed, done = sorted(tries, key=lambda span: attributes(span)["rowlock.attempt"])
        assert (failed.status.status_code, done.status.status_code) == (
            StatusCode.ERROR,
            StatusCode.UNSET,
        )
        assert attributes(failed)["error.type"] == "KeyError"
        assert [event.name for event in failed.events] == ["exception"]
        assert attributes(done) == {
            "messaging.system": "rowlock",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": "images",
            "messaging.message.id": str(task.id),
            "rowlock.task.title": "resize",
            "rowlock.attempt": 2,
        }
    # What the handler does is within.
    assert set(inner) == {span.context.trace_id for span in submits if span.context}


async def test_batches_are_one_span_and_what_failed_is_an_error(
    client: Face, exporter: InMemorySpanExporter
) -> None:
    stored = await client.submit_batch([{"title": "a"}, {"title": "b"}])
    ids = await client.submit_many([{"title": "c"}] * 5, batch_size=2)
    batch, many = exporter.get_finished_spans()
    assert batch.context is not None
    assert many.context is not None
    for span, tasks in ((batch, stored), (many, [await client.get(task_id) for task_id in ids])):
        assert span.name == "submit"
        assert attributes(span)["messaging.batch.message_count"] == len(tasks)
        assert span.context is not None
        assert {t.traceparent.split("-")[1] for t in tasks} == {f"{span.context.trace_id:032x}"}
    exporter.clear()
    with pytest.raises(Exception, match="title"):
        await client.submit("")
    assert attributes(spans(exporter)["submit default"])["error.type"] == "InvalidRequestError"


async def test_a_submit_within_a_handler_goes_on_with_the_trace(
    sdk: AsyncClient, through: Through, exporter: InMemorySpanExporter
) -> None:
    worker = a_worker(through)
    worker.around(otel.traced)

    @worker.handler("first")
    async def first(task: Task, attempt: RunningAttempt) -> None:
        await second.submit_async(None)

    @worker.handler("second")
    async def second(task: Task, attempt: RunningAttempt) -> None: ...

    await sdk.submit("first")
    await worker.run_async(drain=True)
    finished = exporter.get_finished_spans()
    assert len(finished) == 4
    assert len({span.context.trace_id for span in finished if span.context}) == 1


async def test_an_attempt_that_is_taken_away_is_an_error_by_that_name(
    sdk: AsyncClient, through: Through, exporter: InMemorySpanExporter
) -> None:
    worker = a_worker(through, lease_seconds=5)
    worker.around(otel.traced)
    has_begun = asyncio.Event()

    @worker.handler("wait")
    async def wait(task: Task, attempt: RunningAttempt) -> None:
        has_begun.set()
        await asyncio.Event().wait()

    task = await sdk.submit("wait")
    async with working(worker), asyncio.timeout(20):
        await has_begun.wait()
        await sdk.admin.cancel(task.id)
        while "process default" not in spans(exporter):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    span = spans(exporter)["process default"]
    assert attributes(span)["error.type"] == "cancelled"
    assert span.events == ()


async def test_without_it_nothing_is_sent(sdk: AsyncClient) -> None:
    assert (await sdk.submit("a")).traceparent is None
