"""The event loop of a worker process, and its signals."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rowlock.worker.daemon_executor import DaemonExecutor
from rowlock.worker.log import log

# How long other tasks that handlers left behind may take to end.
LEFTOVERS_SECONDS: Final = 1.0
# A terminal's Ctrl-C, or its end, reaches both processes of the one executable, and the first
# passes it on.
ECHO_SECONDS: Final = 0.3

# Those that the event loop of this process takes now.
_taken: set[signal.Signals] = set()
_is_importing = False
# The signals that a thread which is forking did not take before.
_before = threading.local()


class UnguardedRunError(RuntimeError):
    """A module runs its worker while it is imported for its handlers."""


@contextmanager
def importing() -> Iterator[None]:
    """Within it no worker runs: the module that is imported would never be done."""
    global _is_importing  # noqa: PLW0603
    _is_importing = True
    try:
        yield
    finally:
        _is_importing = False


def refuse_in_import() -> None:
    """Raises `UnguardedRunError` within `importing`."""
    if _is_importing:
        raise UnguardedRunError('guard it with `if __name__ == "__main__":`')


def run(main: Coroutine[Any, Any, None], stop: Callable[[], None]) -> None:
    """Run to the end; SIGTERM, SIGINT and SIGHUP call `stop`, SIGHUP not where it is ignored.

    Unlike `asyncio.run` it does not wait for a task that ignores being cancelled, nor for a
    thread: a handler could keep the process for ever. Nor does it end with a task that a handler
    has begun. Raises `RuntimeError` where an event loop runs already.
    """
    try:
        refuse_in_import()
        refuse_in_loop()
    except RuntimeError:
        main.close()
        raise
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonExecutor())
    # Signals come to the main thread only; elsewhere they are somebody else's.
    if threading.current_thread() is threading.main_thread():
        _take_signals(loop, stop)
    try:
        _complete(loop, main)
    finally:
        _complete(loop, _cancel_leftovers())
        _complete(loop, loop.shutdown_asyncgens())
        # What is still there has been logged; the loop would complain of it once more.
        loop.set_exception_handler(lambda *_: None)
        loop.close()
        _taken.clear()


def refuse_in_loop() -> None:
    """Raises `RuntimeError` where an event loop runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "an event loop runs in this thread already: use `await worker.run_async()` in the place "
        "of `worker.run()`"
    )


def without_echo(stop: Callable[[], None], clock: Callable[[], float]) -> Callable[[], None]:
    """`stop`, for a signal that may come twice when it was sent once."""
    heard_at = -ECHO_SECONDS

    def stop_once() -> None:
        nonlocal heard_at
        is_echo = clock() - heard_at < ECHO_SECONDS
        heard_at = clock()
        if not is_echo:
            stop()

    return stop_once


def _take_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    stop_once = without_echo(stop, loop.time)
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop_once}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` has it
        handlers[signal.SIGHUP] = stop_once
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
        _taken.add(number)


def _complete(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, None]) -> None:
    """Like `run_until_complete`, which returns early when a handler stops the loop, or when a
    task that a handler has begun wants to leave the process."""
    running = loop.create_task(main)
    running.add_done_callback(lambda _: loop.stop())
    while not running.done():
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            log.error("a background task of a handler raised %s", type(error).__name__)
    running.result()


async def _cancel_leftovers() -> None:
    leftovers = asyncio.all_tasks() - {asyncio.current_task()}
    for task in leftovers:
        task.cancel()
    if leftovers:
        await asyncio.wait(leftovers, timeout=LEFTOVERS_SECONDS)


def _before_fork() -> None:
    # Until the child has forgotten them, a signal to it would be its parent's.
    _before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _taken)


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.mask)


def _forget_signals() -> None:
    """In a child that a handler has forked: a signal to it is not its parent's, and ends it."""
    if _taken:
        signal.set_wakeup_fd(-1)
    for number in _taken:
        is_interrupt = number is signal.SIGINT
        signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
    _taken.clear()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_forget_signals
    )
