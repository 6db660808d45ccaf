"""How the SDK reads what it is answered: tolerant of newer servers, exact about refusals."""

import json

import pytest
from pydantic import BaseModel

from app.api import answers
from rowlock import models
from rowlock.client import calls
from rowlock.errors import (
    ConflictError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    ProblemError,
    UnavailableError,
    UnexpectedAnswerError,
)
from rowlock.http.answer import Answer
from rowlock.http.flows import answer_of
from rowlock.http.problems import problem_of
from tests.support.sdk import A_TASK


def test_what_a_newer_server_adds_is_kept() -> None:
    task = models.Task.model_validate(
        A_TASK | {"status": "on_the_moon", "retry_backoff": "fibonacci", "colour": "red"}
    )
    assert task.status == "on_the_moon"
    assert task.model_extra == {"colour": "red"}
    assert not task.has_ended


@pytest.mark.parametrize(
    ("ours", "servers"),
    [
        (models.Task, answers.TaskDocument),
        (models.Attempt, answers.AttemptDocument),
        (models.Lease, answers.LeaseDocument),
        (models.Tag, answers.TagDocument),
        (models.QueueStats, answers.QueueDocument),
        (models.Stats, answers.StatsDocument),
        (models.QueueState, answers.QueueStateDocument),
        (models.History, answers.HistoryDocument),
        (models.HistoryBucket, answers.HistoryBucketDocument),
        (models.BulkResult, answers.BulkDocument),
        (models.Count, answers.CountDocument),
        (models.Cost, answers.CostDocument),
    ],
)
def test_every_field_that_the_server_documents_is_there(
    ours: type[BaseModel], servers: type[BaseModel]
) -> None:
    documented = set(servers.model_fields)
    if servers is answers.TaskDocument:
        documented |= answers.ListedTask.model_fields.keys()
    assert ours.model_fields.keys() == documented


def a_problem(status: int, **extensions: object) -> Answer:
    document = {"type": "urn:x", "title": "T", "status": status, "detail": "D", **extensions}
    return Answer(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, NotAllowedError),
        (403, NotAllowedError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, InvalidRequestError),
        (415, InvalidRequestError),
        (418, ProblemError),
        (422, InvalidRequestError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_an_error_is_of_its_kind_and_carries_the_document(
    status: int, kind: type[ProblemError]
) -> None:
    error = problem_of(a_problem(status, task_status="done", outcome="cancelled"))
    assert type(error) is kind
    assert (error.status, error.title, error.detail) == (status, "T", "D")
    assert error.task_status == "done"
    assert error.problem["outcome"] == "cancelled"
    assert str(error) == f"{status} T: D"


def test_the_fields_that_are_wrong_are_named() -> None:
    error = problem_of(a_problem(422, errors=[{"field": "title", "message": "is required"}]))
    assert error.errors == [("title", "is required")]
    assert error.errors[0].field == "title"


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", '["a list"]'])
def test_an_error_by_somebody_else_shows_its_beginning(body: str) -> None:
    error = problem_of(Answer(502, {}, body.encode()))
    assert isinstance(error, UnavailableError)
    assert error.title == "Bad Gateway"
    assert body in str(error)


@pytest.mark.parametrize(
    "body",
    ['{"errors": 7}', '{"errors": {"a": 1}}', '{"errors": [7, null]}', "[" * 100_000],
    ids=["a number", "a mapping", "no mappings", "too deep"],
)
def test_an_error_by_somebody_else_may_look_like_ours(body: str) -> None:
    error = problem_of(Answer(503, {}, body.encode()))
    assert isinstance(error, UnavailableError)
    assert error.errors == []


@pytest.mark.parametrize("body", ["<html>Hello</html>", "{}", "[]", ""])
def test_an_answer_by_somebody_else_makes_one_doubt_the_url(body: str) -> None:
    answer = Answer(200, {}, body.encode())
    with pytest.raises(UnexpectedAnswerError, match="check the URL"):
        answer_of(calls.get(1), answer)


def test_the_next_page_is_asked_of_this_server_whatever_the_link_says() -> None:
    link = '<https://elsewhere/below/tasks?cursor=abc&tag=a%20b&tag=c>; rel="next"'
    page = calls.list_tasks({}, "asc", 2).read(Answer(200, {"link": link}, b"[]"))
    assert page.next is not None
    assert page.next.path == "/tasks"
    assert page.next.query == (("cursor", "abc"), ("tag", "a b"), ("tag", "c"))
    assert calls.list_tasks({}, "asc", 2).read(Answer(200, {}, b"[]")).next is None
