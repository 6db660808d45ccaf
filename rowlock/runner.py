"""The event loop of a worker process, and its signals."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

# How long other tasks that handlers left behind may take to end.
LEFTOVERS_SECONDS: Final = 1.0
# A terminal's Ctrl-C reaches both processes of the one executable, and the first passes it on.
ECHO_SECONDS: Final = 0.3


def run(main: Coroutine[Any, Any, None], stop: Callable[[], None]) -> None:
    """Run to the end; SIGTERM and SIGINT call `stop`.

    Unlike `asyncio.run` it does not wait for a task that ignores being cancelled: a handler
    could keep the process for ever.
    """
    loop = asyncio.new_event_loop()
    interrupted_at = -ECHO_SECONDS

    def interrupt() -> None:
        nonlocal interrupted_at
        is_echo = loop.time() - interrupted_at < ECHO_SECONDS
        interrupted_at = loop.time()
        if not is_echo:
            stop()

    # Signals come to the main thread only; elsewhere they are somebody else's.
    if threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_cancel_leftovers())
        loop.run_until_complete(loop.shutdown_asyncgens())
        # What is still there has been logged; the loop would complain of it once more.
        loop.set_exception_handler(lambda *_: None)
        loop.close()


async def _cancel_leftovers() -> None:
    leftovers = asyncio.all_tasks() - {asyncio.current_task()}
    for task in leftovers:
        task.cancel()
    if leftovers:
        await asyncio.wait(leftovers, timeout=LEFTOVERS_SECONDS)
