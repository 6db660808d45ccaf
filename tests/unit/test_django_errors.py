"""What a Django task raised, by way of the text that the server keeps."""

import sys
from datetime import UTC, datetime
from subprocess import run

import pytest

from rowlock import Attempt, Permanent, Retry, Task
from rowlock.django.errors import errors_of, verdict_of
from rowlock.worker.failures import failure_of
from rowlock.worker.finishes import ERROR_LIMIT_BYTES
from tests.support.sdk import A_TASK

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TASK = Task.model_validate(A_TASK)


def ended(outcome: str, error: str | None) -> Attempt:
    return Attempt(
        attempt=1, worker="w", started_at=NOON, finished_at=NOON, outcome=outcome, error=error
    )


@pytest.mark.parametrize(
    ("outcome", "error", "path", "traceback"),
    [
        ("failed", "shop.Unpayable\nTraceback …\n…", "shop.Unpayable", "Traceback …\n…"),
        ("failed", "disk full", "rowlock.RowlockError", "disk full"),
        ("failed", "it.looks like\na path", "rowlock.RowlockError", "it.looks like\na path"),
        ("failed", None, "rowlock.RowlockError", ""),
        ("timed_out", "after 300 s", "builtins.TimeoutError", "after 300 s"),
        ("lost", None, "rowlock.RowlockError", "Attempt 1 ended as lost."),
    ],
)  # fmt: skip
def test_errors_of_attempts(outcome: str, error: str | None, path: str, traceback: str) -> None:
    (found,) = errors_of(TASK, [ended(outcome, error)])
    assert (found.exception_class_path, found.traceback) == (path, traceback)
    if not path.startswith("shop"):
        assert issubclass(found.exception_class, Exception)


@pytest.mark.parametrize("outcome", ["done", "released", "cancelled"])
def test_attempts_that_were_no_fault(outcome: str) -> None:
    assert errors_of(TASK, [ended(outcome, "said")]) == []


def test_the_class_of_an_endless_message_is_kept() -> None:
    verdict = verdict_of(ValueError("é" * ERROR_LIMIT_BYTES + "!"))
    assert isinstance(verdict, Retry)
    text = failure_of(verdict).error
    assert len(text.encode()) <= ERROR_LIMIT_BYTES
    (found,) = errors_of(TASK, [ended("failed", text)])
    assert found.exception_class is ValueError
    assert found.traceback.endswith("é!")


def test_what_is_said_of_a_retry_stays() -> None:
    retry = verdict_of(Retry("busy", after_seconds=7))
    assert isinstance(retry, Retry)
    assert retry.after_seconds == 7
    permanent = verdict_of(Permanent("no such customer"))
    assert str(permanent) == "rowlock.worker.attempt.Permanent\nPermanent: no such customer"


def test_nothing_of_django_is_loaded_without_it() -> None:
    every = "import rowlock, sys; [getattr(rowlock, name) for name in rowlock.__all__]; "
    said = "print([name for name in sys.modules if name.startswith(('django', 'rowlock.django'))])"
    found = run([sys.executable, "-c", every + said], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
