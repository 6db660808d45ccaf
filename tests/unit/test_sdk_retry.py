"""When the SDK sends a call again, and when it does not: without a server, without waiting."""

from typing import Any

import pytest

from rowlock.client import calls
from rowlock.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
    UnreachableError,
)
from rowlock.http.answer import Answer, NotAnsweredError
from rowlock.http.call import Call
from rowlock.http.flows import Flow, Outcome, Pause, ask
from rowlock.http.retry import Backoff, RetryBudget

NOT_SENT = NotAnsweredError("refused", may_have_arrived=False)
ANSWER_LOST = NotAnsweredError("timed out", may_have_arrived=True)

REPEATABLE: Call[str] = Call("GET", "/x", lambda answer: answer.text)
ONCE: Call[str] = Call("POST", "/x", lambda answer: answer.text, is_repeatable=False)


def an_answer(status: int, text: str = "", **headers: str) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, text.encode())


OK = an_answer(200, "here")


class Played:
    """A flow played to its end against given outcomes, with the jitter always the same. Pauses
    take their time by its clock; a try takes `try_seconds`, or what it is given if that is less."""

    def __init__(
        self,
        call: Call[Any],
        *outcomes: Outcome,
        seconds: float = 15.0,
        try_seconds: float = 0.0,
        until: float | None = None,
    ) -> None:
        self.pauses: list[float] = []
        self.tries: list[float] = []
        self.now = 0.0
        self.value: object = None
        left = list(outcomes)
        budget = RetryBudget(seconds, timeout_seconds=min(seconds, 10.0) or 10.0)
        flow: Flow[object] = ask(
            call, budget, until=until, jitter=lambda: 1.0, clock=lambda: self.now
        )
        step = next(flow)
        try:
            while True:
                if isinstance(step, Pause):
                    self.pauses.append(step.seconds)
                    self.now += step.seconds
                    step = flow.send(None)
                else:
                    self.tries.append(step.seconds)
                    self.now += min(try_seconds, step.seconds)
                    step = flow.send(left.pop(0))
        except StopIteration as end:
            self.value = end.value
        assert not left, "not all of it was asked for"

    @property
    def sent(self) -> int:
        return len(self.tries)


def test_an_answer_needs_one_call_and_no_pause() -> None:
    played = Played(REPEATABLE, OK)
    assert (played.value, played.sent, played.pauses) == ("here", 1, [])


@pytest.mark.parametrize("call", [REPEATABLE, ONCE])
@pytest.mark.parametrize("outcome", [NOT_SENT, an_answer(503), an_answer(429)])
def test_what_was_not_taken_is_sent_again(call: Call[str], outcome: Outcome) -> None:
    assert Played(call, outcome, outcome, OK).sent == 3


@pytest.mark.parametrize("outcome", [ANSWER_LOST, an_answer(502), an_answer(504)])
def test_what_may_have_happened_is_sent_again_only_if_that_does_no_harm(outcome: Outcome) -> None:
    assert Played(REPEATABLE, outcome, OK).value == "here"
    with pytest.raises((UnreachableError, UnavailableError)):
        Played(ONCE, outcome)


def test_the_error_says_whether_it_may_have_happened() -> None:
    with pytest.raises(UnreachableError, match="timed out") as lost:
        Played(ONCE, ANSWER_LOST)
    assert lost.value.may_have_happened
    with pytest.raises(UnreachableError) as refused:
        Played(ONCE, NOT_SENT, seconds=0)
    assert not refused.value.may_have_happened
    with pytest.raises(UnreachableError, match="refused") as both:
        Played(REPEATABLE, ANSWER_LOST, NOT_SENT, seconds=0.15)
    assert both.value.may_have_happened
    with pytest.raises(InvalidRequestError) as then_refused:
        Played(REPEATABLE, ANSWER_LOST, an_answer(422))
    assert then_refused.value.may_have_happened
    with pytest.raises(InvalidRequestError) as never_taken:
        Played(REPEATABLE, an_answer(503), NOT_SENT, an_answer(422))
    assert not never_taken.value.may_have_happened


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (409, ConflictError)])
def test_a_refusal_is_final(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Played(REPEATABLE, an_answer(status))


def test_a_bug_of_the_server_is_not_asked_for_twice() -> None:
    with pytest.raises(UnavailableError):
        Played(REPEATABLE, an_answer(500))


def test_pauses_double_and_all_of_it_stays_within_the_time() -> None:
    outcomes = [NOT_SENT] * 6
    with pytest.raises(UnreachableError):
        Played(REPEATABLE, *outcomes, seconds=3.2)
    assert Played(REPEATABLE, *outcomes[:5], OK, seconds=3.2).pauses == [0.1, 0.2, 0.4, 0.8, 1.6]


def test_one_deadline_by_the_clock_cuts_every_try() -> None:
    # A server that takes calls and answers none: a try of ten seconds, and what is left.
    played = Played(REPEATABLE, ANSWER_LOST, OK, try_seconds=60)
    assert played.tries == [10, pytest.approx(4.9)]
    assert played.now == pytest.approx(15)
    with pytest.raises(UnreachableError):
        Played(REPEATABLE, ANSWER_LOST, ANSWER_LOST, try_seconds=60)
    # Whoever waits for less is served sooner.
    assert Played(REPEATABLE, OK, until=2).tries == [2]


def test_what_takes_its_time_on_purpose_has_it_on_top() -> None:
    call: Call[str] = Call("GET", "/x", lambda answer: answer.text, extra_seconds=50)
    assert Played(call, ANSWER_LOST, OK, try_seconds=100).tries == [60, pytest.approx(4.9)]
    # A poll that breaks off after 20 seconds leaves as much time for another as one at once.
    outcomes = [ANSWER_LOST] * 9
    at_once, late = (Played(call, *outcomes, OK, try_seconds=t, seconds=30) for t in (0, 5))
    assert late.pauses == at_once.pauses
    with pytest.raises(UnreachableError):
        Played(call, *[NOT_SENT] * 8, seconds=15)


def test_no_budget_is_one_try() -> None:
    with pytest.raises(UnreachableError):
        Played(REPEATABLE, NOT_SENT, seconds=0)


def test_the_servers_wish_comes_on_top() -> None:
    played = Played(REPEATABLE, an_answer(503, **{"Retry-After": "2"}), OK)
    assert played.pauses == [2.1]


def test_a_wish_beyond_the_budget_ends_it() -> None:
    with pytest.raises(UnavailableError) as error:
        Played(REPEATABLE, an_answer(429, **{"Retry-After": "3600"}))
    assert error.value.retry_after_seconds == 3600


def test_a_date_as_the_wish_leaves_it_to_the_backoff() -> None:
    wish = {"Retry-After": "Wed, 21 Oct 2037 07:28:00 GMT"}
    assert Played(REPEATABLE, an_answer(503, **wish), OK).pauses == [0.1]


def test_a_delete_that_was_carried_out_unheard_is_done() -> None:
    assert Played(calls.delete(7), ANSWER_LOST, an_answer(404)).sent == 2
    with pytest.raises(NotFoundError):
        Played(calls.delete(7), an_answer(404))
    with pytest.raises(NotFoundError):
        Played(calls.delete(7), NOT_SENT, an_answer(404))


@pytest.mark.parametrize(
    "call",
    [
        calls.submit(b'{"title":"a task"}', None),
        calls.submit_batch([b'{"title":"a task"}'], None),
    ],
)
def test_every_submission_has_a_key_of_its_own(call: Call[object]) -> None:
    key = call.headers["Idempotency-Key"]
    assert 16 <= len(key) <= 128
    assert key != calls.submit(b'{"title":"a task"}', None).headers["Idempotency-Key"]


def test_backoff_is_between_half_and_all_of_the_pause_and_capped() -> None:
    backoff = Backoff(first_seconds=1, cap_seconds=10)
    assert backoff.pause_seconds(1, jitter=0) == 0.5
    assert backoff.pause_seconds(3, jitter=0) == 2
    assert backoff.pause_seconds(3, jitter=1) == 4
    assert backoff.pause_seconds(5, jitter=1) == 10
    assert backoff.pause_seconds(10_000, jitter=1) == 10
