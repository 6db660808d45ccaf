"""What a process remembers of polls: the last of each worker, until it was told."""

import pytest

from app.queue.workers import TOLD_AT_ONCE, TOLD_BYTES, Poll, chunks
from app.service.polls import TOLD_SECONDS, Polls


def poll(worker: str, at: float, queues: str = '["a"]', agent: str | None = None) -> Poll:
    return Poll(worker, queues, agent, "127.0.0.1", at)


def told(polls: Polls, now: float) -> list[Poll]:
    """What was told at this moment."""
    due = polls.due(now)
    polls.have_told(due, now)
    return due


def test_of_each_worker_the_last_poll_is_told_once() -> None:
    polls = Polls()
    for at in range(5):
        polls.hear(poll("w", at))
        polls.hear(poll("v", at))

    assert sorted(told(polls, 5)) == [poll("v", 4), poll("w", 4)]
    assert told(polls, 10) == []


def test_a_worker_that_goes_on_is_told_of_now_and_then() -> None:
    polls = Polls()
    polls.hear(poll("w", 0))
    told(polls, 1)

    for at in range(2, 31):
        polls.hear(poll("w", at))
        assert told(polls, at) == []
    polls.hear(poll("w", 30.5))

    assert told(polls, 1 + TOLD_SECONDS) == [poll("w", 30.5)]
    assert told(polls, 2 + TOLD_SECONDS) == []


@pytest.mark.parametrize("change", [{"queues": '["b"]'}, {"agent": "other/1"}])
def test_a_worker_that_has_changed_is_told_of_at_once(change: dict[str, str]) -> None:
    polls = Polls()
    polls.hear(poll("w", 0))
    told(polls, 1)

    polls.hear(poll("w", 2, **change))

    assert told(polls, 3) == [poll("w", 2, **change)]


def test_where_a_worker_calls_from_is_no_change() -> None:
    polls = Polls()
    polls.hear(poll("w", 0))
    told(polls, 1)
    polls.hear(poll("w", 2)._replace(address="10.0.0.7"))
    assert told(polls, 3) == []


def test_what_could_not_be_told_is_due_the_next_time() -> None:
    polls = Polls()
    polls.hear(poll("w", 0))
    assert polls.due(1) == [poll("w", 0)]
    polls.hear(poll("w", 500))
    assert told(polls, 501) == [poll("w", 500)]


def test_what_is_heard_while_it_is_told_is_not_taken_for_told() -> None:
    polls = Polls()
    polls.hear(poll("w", 0))
    due = polls.due(1)
    polls.hear(poll("w", 2, queues='["b"]'))
    polls.have_told(due, 3)

    assert told(polls, 4) == [poll("w", 2, queues='["b"]')]


def test_all_that_is_not_told_is_known_at_the_end() -> None:
    polls = Polls()
    for worker in "vw":
        polls.hear(poll(worker, 0))
    told(polls, 1)
    polls.hear(poll("w", 2))

    assert polls.due(3) == []
    assert polls.untold() == [poll("w", 2)]


def test_a_worker_that_is_gone_is_not_remembered() -> None:
    polls = Polls()
    polls.hear(poll("w", 0))
    told(polls, 1)
    told(polls, 1 + TOLD_SECONDS)
    assert len(polls) == 0
    polls.hear(poll("w", 90))
    assert told(polls, 91) == [poll("w", 90)]


def test_of_too_many_the_one_that_is_heard_of_least_is_forgotten() -> None:
    polls = Polls(limit=3)
    for worker in ("a", "b", "c", "a", "d"):
        polls.hear(poll(worker, 0))
    assert sorted(p.worker for p in polls.untold()) == ["a", "c", "d"]


def test_polls_go_by_name_as_many_together_as_a_statement_takes() -> None:
    short = [poll(f"w{n:05}", n) for n in reversed(range(2 * TOLD_AT_ONCE + 1))]
    found = list(chunks(short))
    assert [p for chunk in found for p in chunk] == sorted(short)
    assert [len(chunk) for chunk in found] == [TOLD_AT_ONCE, TOLD_AT_ONCE, 1]

    queues = f'["{"q" * 64}"]'.replace("]", f', "{"q" * 64}"' * 63 + "]")
    long = [poll("😀" * 250 + f"{n:05}", n, queues, "é" * 128) for n in range(TOLD_AT_ONCE)]
    sizes = [sum(len("".join(map(str, p)).encode()) for p in chunk) for chunk in chunks(long)]
    assert len(sizes) > 2
    assert max(sizes) < TOLD_BYTES
