"""What a worker tells of how an attempt ended: always something that the server takes."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from rowlock import Permanent, Retry
from rowlock.encoding import encode
from rowlock.worker import finishes
from rowlock.worker.failures import failure_of, kept

LEASE = f"1.{'0' * 32}"


def told(finish: finishes.FinishItem) -> dict[str, Any]:
    item: dict[str, Any] = json.loads(finish.item)
    assert item["lease_id"] == LEASE
    return item


def returned(result: Any) -> dict[str, Any]:
    try:
        return told(finishes.completed(LEASE, 0, kept(result)))
    except Permanent as refused:
        return told(finishes.failed(LEASE, 0, failure_of(refused)))


def a_handler(error: BaseException) -> None:
    raise error


def raised(error: BaseException) -> dict[str, Any]:
    try:
        a_handler(error)
    except BaseException as caught:
        return told(finishes.failed(LEASE, 0, failure_of(caught)))
    raise AssertionError


def test_a_result_is_json_of_what_was_returned() -> None:
    result = {"n": 2**70, "at": datetime(2026, 1, 31, tzinfo=UTC), "text": "高 😀 NaN", "no": None}
    item = returned(result)
    assert item["outcome"] == "complete"
    assert item["result"] == {
        "n": 2**70,
        "at": "2026-01-31T00:00:00Z",
        "text": "高 😀 NaN",
        "no": None,
    }


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (object(), "object"),
        (math.nan, "NaN"),
        ([{"deep": -math.inf}], "-Infinity"),
        ("\ud800", "surrogate"),
        ("x" * 256 * 1024, "256 KiB"),
    ],
)
def test_a_result_that_cannot_be_kept_fails_the_task_for_good(result: Any, said: str) -> None:
    item = returned(result)
    assert (item["outcome"], item["retryable"]) == ("fail", False)
    assert said in item["error"]


def test_a_result_of_256_kib_is_kept() -> None:
    assert returned("x" * (256 * 1024 - 2))["outcome"] == "complete"


def test_an_exception_is_retried_with_the_handlers_part_of_the_traceback() -> None:
    item = raised(KeyError("colour"))
    assert (item["outcome"], item["retryable"]) == ("fail", True)
    assert item["error"].startswith("Traceback")
    assert "in a_handler" in item["error"]
    assert item["error"].endswith("KeyError: 'colour'")


def test_of_a_deep_traceback_the_last_lines_are_told() -> None:
    def down(depth: int) -> None:
        if depth == 0:
            raise ValueError("at the bottom")
        down(depth - 1)
        math.floor(depth)  # else all frames look the same, and Python folds them

    with pytest.raises(ValueError, match="bottom") as caught:
        down(200)
    error = failure_of(caught.value).error
    assert error.endswith("ValueError: at the bottom")
    assert len(error.splitlines()) <= 30


def test_permanent_fails_at_once_and_says_just_what_was_said() -> None:
    item = raised(Permanent("no such image"))
    assert item["error"] == "no such image"
    assert not item["retryable"]


@pytest.mark.parametrize(
    ("after", "told_seconds"), [(None, None), (1.2, 2), (-5, 0), (1e9, 86_400), (math.inf, 86_400)]
)
def test_retry_says_when(after: float | None, told_seconds: int | None) -> None:
    item = raised(Retry("busy", after_seconds=after))
    assert (item["error"], item["retryable"]) == ("busy", True)
    assert item["retry_after_seconds"] == told_seconds


def test_of_a_long_error_the_end_is_told() -> None:
    error = raised(Permanent("高" * 70_000 + " the end"))["error"]
    assert len(error.encode()) <= 65_535
    assert error.endswith("高 the end")
    assert set(error.removesuffix(" the end")) == {"高"}


def test_what_no_text_column_holds_is_spelt_out() -> None:
    assert raised(Permanent("a\0b\udcffc"))["error"] == "a\\0b\\udcffc"


def test_leaving_the_process_is_a_failure_like_any_other() -> None:
    assert raised(SystemExit(3))["error"].endswith("SystemExit: 3")


def test_the_word_nan_in_a_text_is_no_number() -> None:
    assert json.loads(encode(["NaN", "-Infinity"])) == ["NaN", "-Infinity"]


def test_a_release_says_no_more_than_it_has_to() -> None:
    assert told(finishes.released(LEASE, 0)) == {"lease_id": LEASE, "outcome": "release"}
    later = told(finishes.released(LEASE, 0, delay_seconds=4, reason="a\0b"))
    assert (later["delay_seconds"], later["reason"]) == (4, "a\\0b")
