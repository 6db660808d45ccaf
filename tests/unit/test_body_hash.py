"""What an idempotency key remembers of a body stays the same from version to version."""

from typing import Any

import orjson
import pytest

from app.api.submissions import SubmitTask, body_hash


def digest(*bodies: dict[str, Any], is_batch: bool = False) -> str:
    return body_hash(
        [SubmitTask.model_validate_json(orjson.dumps(b)) for b in bodies], is_batch=is_batch
    )


FULL = {
    "title": "resize image",
    "description": "all of it",
    "priority": "high",
    "tags": ["b", "a"],
    "due_date": "2030-01-31T08:00:00+08:00",
    "timeout_seconds": 60,
    "retry_limit": 1,
    "retry_delay_seconds": 2,
    "retry_backoff": "fixed",
    "queue": "images",
    "payload": {"path": "/photos/1.jpg"},
    "available_at": "2030-01-01T00:00:00Z",
    "unique": {"key": "customer-17", "while": "active"},
    "depends_on": [7],
    "on_parent_failure": "run",
    "group": "customer-17",
}
NEW = ("unique", "depends_on", "on_parent_failure", "group")


def test_a_body_has_the_digest_that_it_had() -> None:
    """Should one of these change, keys of before would be refused: then count the version up, and
    say in the changelog that keys are void."""
    assert digest({"title": "a task"}) == (
        "a343a0949c3f828bfbc9ed22b6784908f36007d4021d39f43ee1c5eb22bc4025"
    )
    known = {name: value for name, value in FULL.items() if name not in NEW}
    assert digest(known) == "075bfd96f0671d897668a86ab8f8fa257287295864aa48d2a697d1183b3c3c90"
    assert digest({"title": "a task"}, is_batch=True) == (
        "9ba75afc7be2a3b97b29357838e574f83f7c2b6693f0051eb92ceb45d0287b1c"
    )


def test_what_is_at_its_default_is_as_if_it_were_not_there() -> None:
    said = {"priority": "中", "tags": [], "retry_limit": 3, "queue": "default", "payload": None}
    assert digest({"title": "a task", **said}) == digest({"title": "a task"})


@pytest.mark.parametrize("field", [name for name in FULL if name != "title"])
def test_every_field_counts(field: str) -> None:
    needed = {"depends_on": [7]} if field == "on_parent_failure" else {}
    without = {"title": "a task"} | needed
    assert digest(without | {field: FULL[field]}) != digest(without)


def test_what_is_to_wait_for_it_counts() -> None:
    assert digest({"title": "a task", "blocks": [7]}) != digest({"title": "a task"})


def test_every_field_of_a_task_is_looked_at() -> None:
    # Nothing can have both it and `depends_on`.
    assert set(FULL) == set(SubmitTask.model_fields) - {"blocks"}
