"""The types of the contract's fields, over whatever can be written."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.api import fields
from app.api.fields import JSON_LIMIT_BYTES, json_text

TIME: TypeAdapter[datetime] = TypeAdapter(fields.Time)
FIRST, LAST = datetime(1000, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))
DAY = timedelta(days=1)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def moments(first: datetime) -> st.SearchStrategy[datetime]:
    """Naive, and so far from either end that any offset leaves them a time."""
    return st.datetimes((first + DAY).replace(tzinfo=None), (LAST - DAY).replace(tzinfo=None))


@given(moment=moments(FIRST), offset=OFFSETS)
def test_a_time_is_the_same_moment_whatever_its_offset(moment: datetime, offset: timezone) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(offset)
    assert TIME.validate_python(local.isoformat()) == moment
    assert TIME.validate_python(moment.isoformat()) == moment, "a naive one is UTC"


@given(moment=moments(datetime.min.replace(tzinfo=UTC)), offset=OFFSETS)
def test_a_time_is_kept_or_refused_and_never_something_else(
    moment: datetime, offset: timezone
) -> None:
    text = moment.replace(tzinfo=offset).isoformat()
    try:
        kept = TIME.validate_python(text)
    except ValidationError:
        assert moment.replace(tzinfo=offset) < FIRST
    else:
        assert kept.replace(tzinfo=UTC) == moment.replace(tzinfo=offset)
        assert FIRST <= kept.replace(tzinfo=UTC) <= LAST


@given(text=st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"))
def test_any_other_text_is_refused_in_order(text: str) -> None:
    try:
        kept = TIME.validate_python(text)
    except ValidationError:
        return
    assert FIRST <= kept.replace(tzinfo=UTC) <= LAST


@given(value=JSON)
def test_json_is_kept_to_the_letter(value: Any) -> None:
    kept = json_text(value)
    if value is None:
        assert kept is None
    else:
        assert kept is not None
        assert json.dumps(json.loads(kept)) == json.dumps(value)


def test_json_is_bounded_in_bytes() -> None:
    assert json_text("x" * (JSON_LIMIT_BYTES - 2)) is not None
    for value in ("x" * (JSON_LIMIT_BYTES - 1), "高" * (JSON_LIMIT_BYTES // 3)):
        with pytest.raises(ValueError, match="256 KiB"):
            json_text(value)


@pytest.mark.parametrize("word", ["Infinity", "NaN", "-Infinity"])
def test_the_words_for_what_is_no_number_are_fine_in_a_text(word: str) -> None:
    value = {word: [word, {"a": word}, 1.5]}
    assert json.loads(json_text(value) or "") == value
