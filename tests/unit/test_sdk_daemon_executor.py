"""The threads of `asyncio.to_thread` in a worker: few, used again, and nobody waits for them."""

import asyncio
import threading

import pytest

from rowlock.worker import daemon_executor
from rowlock.worker.daemon_executor import DaemonExecutor


async def test_calls_share_a_few_threads_that_end_with_the_executor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(daemon_executor, "THREADS_LIMIT", 3)
    executor, threads = DaemonExecutor(), set[threading.Thread]()
    loop = asyncio.get_running_loop()

    def note(number: int) -> int:
        threads.add(threading.current_thread())
        if number == 7:
            raise KeyError(number)
        return number

    calls = [loop.run_in_executor(executor, note, number) for number in range(50)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [r for r in results if not isinstance(r, KeyError)] == [*range(7), *range(8, 50)]
    assert 1 <= len(threads) <= 3
    executor.shutdown()
    for thread in threads:
        thread.join(20)
        assert thread.daemon
        assert not thread.is_alive()


async def test_a_call_that_hangs_holds_up_neither_another_nor_the_end() -> None:
    executor, let_go = DaemonExecutor(), threading.Event()
    loop = asyncio.get_running_loop()
    hanging = loop.run_in_executor(executor, let_go.wait, 60)
    assert await loop.run_in_executor(executor, str, 1) == "1"
    executor.shutdown(wait=True)
    assert not hanging.done()
    let_go.set()
    assert await hanging
