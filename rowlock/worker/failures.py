"""What comes of a handler: its result, or its exception. Whatever it is, there is an answer."""

import traceback
from types import TracebackType
from typing import Final, NamedTuple

from rowlock.client.fields import encode_fields
from rowlock.encoding import encode_bounded
from rowlock.worker.attempt import Permanent, Retry, delay_seconds
from rowlock.worker.done import Done

TRACEBACK_LINES: Final = 30
# Of an exception that hangs together with more than so many others, itself alone is told.
OTHERS_LIMIT: Final = 50


class Failure(NamedTuple):
    """What the server is told of a failed attempt; `story` is what the log says."""

    error: str
    is_retryable: bool = True
    after_seconds: float | None = None
    story: str = ""


def kept(returned: object) -> bytes:
    """What a handler has returned as JSON, without its braces: a result, and what comes of it.
    Raises `Permanent` for what cannot be kept: done again it would be the same; and whatever the
    result's own code raises."""
    done = returned if isinstance(returned, Done) else Done(returned)
    try:
        said = b'"result":' + encode_bounded(done.result, "the result")
    except ValueError as error:
        raise Permanent(f"The result cannot be stored: {error}") from error
    try:
        then = b",".join(map(encode_fields, done.then))
    except ValueError as error:
        raise Permanent(f"What comes of it cannot be submitted: {error}") from error
    return said + b',"submit":[' + then + b"]" if then else said


def failure_of(error: BaseException) -> Failure:
    """What it comes to. Its own code (`__str__`, `__repr__`, properties) may raise anything."""
    try:
        if isinstance(error, Permanent):
            said = _said(error)
            return Failure(said, is_retryable=False, story=f"{_name(error)}: {said}")
        if isinstance(error, Retry):
            return _retry(error)
        story = _story(error)
        return Failure("\n".join(story.splitlines()[-TRACEBACK_LINES:]), story=story)
    except BaseException:
        # The one representation that nobody can override.
        said = f"{object.__repr__(error)}, whose message cannot be shown"
        return Failure(said, is_retryable=not issubclass(type(error), Permanent), story=said)


def _retry(error: Retry) -> Failure:
    said, after_seconds = _said(error), None
    try:
        after_seconds = delay_seconds(error.after_seconds)
    except BaseException as wrong:
        # A subclass's own; `Retry` refuses it where it is raised.
        said = f"{said}\n{_said(wrong)}"
    return Failure(said, after_seconds=after_seconds, story=f"{_name(error)}: {said}")


def _story(error: BaseException) -> str:
    """The traceback, from the handler's part of it on."""
    frames = error.__traceback__
    while frames is not None and _is_ours(frames):
        frames = frames.tb_next
    if _has_too_many_others(error):
        lines = ["Traceback (most recent call last):\n"]
        lines += traceback.format_tb(frames, -TRACEBACK_LINES)
        lines += f"{_name(error)}: {_said(error)}\n"
    else:
        lines = traceback.format_exception(type(error), error, frames, -TRACEBACK_LINES)
    return "".join(lines).rstrip()


def _has_too_many_others(error: BaseException) -> bool:
    """Causes, contexts and groups may be endless, or go round in circles."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if len(seen) > OTHERS_LIMIT:
            return True
        waiting += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions[: OTHERS_LIMIT + 1]
    return False


def _said(error: BaseException) -> str:
    try:
        # A subclass of `str` has methods of its own.
        return "".join(("", str(error))) or _name(error)
    except BaseException as broken:
        return f"{_name(error)} (its message cannot be shown: {_name(broken)})"


def _name(error: BaseException) -> str:
    return type(error).__name__


def _is_ours(frames: TracebackType) -> bool:
    return str(frames.tb_frame.f_globals.get("__name__")).startswith("rowlock.")
