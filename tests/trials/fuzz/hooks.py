"""What schemathesis cannot know: that nobody shall wait long here, and which refusals follow from
what a request means or from what came before it, so that no schema foretells them."""

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from app.api.answers import Problem

# By method: the wait that is sent, in place of every one that the contract allows from there on.
WAITS: Final = {"GET": (1, 60), "POST": (0.1, 30)}

# By field, how the refusal begins of a value that is as its schema wants it.
BY_MEANING: Final = {
    "cursor": "is not valid for these filters",  # one that is made up looks like any other
    "query": "needs at least one filter",  # each of them is optional
}
KEY_REUSED: Final = "urn:rowlock:idempotency-key-reused"  # it depends on what came before

_numbers = itertools.count()
_deleted: set[int] = set()


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Three times in four, take away what only takes time or ends a call before it begins."""
    is_whole = next(_numbers) % 4 == 0
    short, longest = WAITS.get(case.method, (0, 0))
    for holder in _holders_of_waits(case):
        if short <= _number(holder["wait_seconds"]) <= longest:
            holder["wait_seconds"] = short
            if not is_whole:
                del holder["wait_seconds"]
    if not is_whole:
        _make_key_new(case)
        (case.query or {}).pop("cursor", None)


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Remember what is gone."""
    if case.method == "DELETE" and response.status_code == 204:
        _deleted.add(int(case.path_parameters["task_id"]))


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Whether it is one."""
    if isinstance(failure, RejectedPositiveData):
        return not _is_by_meaning(response.json())
    if isinstance(failure, EnsureResourceAvailability):
        # A lease ends with its task, which is not below it in the paths.
        return response.json()["task_id"] not in _deleted
    return True


@schemathesis.check
def faults_are_problems(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Documented or not, each is a problem document; what is wrong with a request, by field."""
    if response.status_code < 400:
        return
    problem = Problem.model_validate_json(response.content)
    assert problem.status == response.status_code
    assert problem.errors or problem.type != "urn:rowlock:invalid-request"


def _holders_of_waits(case: Case[Any]) -> Iterator[dict[str, Any]]:
    body = case.body if isinstance(case.body, dict) else {}
    for holder in (case.query, body, body.get("claim")):
        if isinstance(holder, dict) and "wait_seconds" in holder:
            yield holder


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return -1  # no wait, but a value to be refused


def _make_key_new(case: Case[Any]) -> None:
    key = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(key, str) and re.fullmatch(r"[\x21-\x7e]{1,100}", key):
        case.headers["Idempotency-Key"] = f"{key}-{next(_numbers)}"


def _is_by_meaning(problem: dict[str, Any]) -> bool:
    if problem["type"] == KEY_REUSED:
        return True
    errors = problem.get("errors") or [{"field": "", "message": ""}]
    return all(e["message"].startswith(BY_MEANING.get(e["field"], "\0")) for e in errors)
