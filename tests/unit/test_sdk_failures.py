"""Whatever a handler raised comes to something that the server takes."""

import json
import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rowlock import Permanent, Retry
from rowlock.http import retry_after
from rowlock.worker import finishes
from rowlock.worker.failures import Failure, failure_of, kept
from tests.support.odd_errors import ODD, Nonsense, UnprintablePermanentError, a_chain, a_group


def a_handler(error: BaseException) -> None:
    raise error


def caught(error: BaseException) -> BaseException:
    try:
        a_handler(error)
    except BaseException as raised:
        return raised
    raise AssertionError


def told(failure: Failure) -> Any:
    return json.loads(finishes.failed("1.0", 0, failure).item)


@pytest.mark.parametrize("kind", ODD)
def test_there_is_always_something_to_tell(kind: str) -> None:
    failure = failure_of(caught(ODD[kind]()))
    item = told(failure)
    assert item["error"]
    assert item["retryable"] == (not kind.startswith("Permanent"))
    assert len(item["error"].encode()) <= 65_535
    assert failure.story


def test_what_has_no_text_is_told_by_its_name_and_place() -> None:
    error = failure_of(caught(ODD["no text"]())).error
    assert "UnprintableError" in error
    assert "in a_handler" in error


def test_permanent_stays_permanent_whatever_its_text() -> None:
    failure = failure_of(caught(UnprintablePermanentError()))
    assert not failure.is_retryable
    assert "UnprintablePermanentError" in failure.error


def test_a_chain_is_told_as_python_tells_it() -> None:
    error = failure_of(caught(a_chain(2)))
    assert error.story.index("ValueError: number 0") < error.story.index("ValueError: number 1")
    assert error.error.endswith("ValueError: number 1")


@pytest.mark.parametrize("error", [a_chain(10_000), a_group(10_000)], ids=["chain", "group"])
def test_of_what_has_no_end_the_last_is_told(error: BaseException) -> None:
    failure = failure_of(caught(error))
    assert "in a_handler" in failure.error
    last = failure.error.splitlines()[-1]
    assert last in ("ValueError: number 9999", "ExceptionGroup: many (10000 sub-exceptions)")
    assert len(failure.story) < 1000


@pytest.mark.parametrize(
    ("after", "told_seconds"),
    [
        (timedelta(minutes=2), 120),
        (timedelta(milliseconds=1), 1),
        (timedelta(days=-1), 0),
        ("5", 5),
        (" 120 ", 120),
        ("9" * 400, 86_400),
        (7, 7),
    ],
)
def test_retry_takes_a_timedelta_and_a_header(after: Any, told_seconds: int) -> None:
    error = Retry("busy", after_seconds=after)
    assert isinstance(error.after_seconds, float)
    assert told(failure_of(error))["retry_after_seconds"] == told_seconds


def test_retry_takes_a_header_that_is_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3000), usegmt=True)
    seconds = Retry("busy", after_seconds=soon).after_seconds
    assert seconds is not None
    assert 2000 < seconds <= 3000


@pytest.mark.parametrize("after", ["soon", "", "-5", "1.5s", math.nan, [], object(), 10**400])
def test_retry_refuses_what_is_no_time_where_it_is_raised(after: Any) -> None:
    with pytest.raises(ValueError, match="after_seconds must be a number of seconds"):
        Retry("busy", after_seconds=after)


def test_a_time_of_a_subclass_that_is_none_is_said_in_the_error() -> None:
    item = told(failure_of(Nonsense("busy")))
    assert item["retry_after_seconds"] is None
    assert item["error"].startswith("busy\n")
    assert "not 'soon'" in item["error"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize(
    "text",
    [f"Sat, 31 Jan 2026 08:01:00 {zone}" for zone in ("GMT", "-0000")]
    + ["Sat Jan 31 08:01:00 2026"],
)
def test_a_date_in_a_header_is_gmt(monkeypatch: pytest.MonkeyPatch, zone: str, text: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        now = datetime(2026, 1, 31, 8, 0, tzinfo=UTC).timestamp()
        assert retry_after.seconds_of(text, now=now) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


class Raises:
    """No JSON, and its type does not say its name."""

    def __iter__(self) -> Any:
        raise LookupError("mine")

    __repr__ = __str__ = __len__ = __iter__


def results() -> dict[str, Any]:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = "NaN"
    for _ in range(100_000):
        deep = [deep]
    return {
        "raises": Raises(),
        "in a list": [Raises()],
        "a key that raises": {Raises(): 1},
        "a generator that raises": (1 // 0 for _ in range(1)),
        "a circle": circle,
        "deep": deep,
        "bytes": b"\xff",
        "a surrogate": "\udcff",
    }


@pytest.mark.parametrize("kind", results())
def test_a_result_that_cannot_be_encoded_is_refused_for_good(kind: str) -> None:
    with pytest.raises(Permanent, match="The result cannot be stored") as refused:
        kept(results()[kind])
    assert not failure_of(refused.value).is_retryable
