"""Do a shop's tasks, four at a time, until Ctrl-C or SIGTERM.

python worker.py
"""

import asyncio
import logging
import zlib
from pathlib import Path
from typing import Any

from rowlock import Permanent, RunningAttempt, Task, Worker

worker = Worker(queues="shop", concurrency=4)


@worker.handler("send newsletter")
async def send_newsletter(task: Task, attempt: RunningAttempt) -> dict[str, int]:
    addresses = task.payload["to"]
    for sent, address in enumerate(addresses, 1):
        await send(address)
        await attempt.progress({"sent": sent, "of": len(addresses)})
    return {"sent": len(addresses)}


async def send(_address: str) -> None:
    await asyncio.sleep(0.05)  # a mail server takes its time


# A plain function: it runs in a thread, and may block.
@worker.handler("compress")
def compress(task: Task, _attempt: RunningAttempt) -> dict[str, int]:
    content = Path(task.payload["path"]).read_bytes()
    return {"bytes": len(content), "compressed": len(zlib.compress(content, 9))}


@worker.handler("charge card")
async def charge(task: Task, _attempt: RunningAttempt) -> dict[str, Any]:
    cents = task.payload["cents"]
    if cents <= 0:
        raise Permanent(f"{cents} cents cannot be charged")
    return {"receipt": f"R-{task.id}", "cents": cents}


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("rowlock").setLevel("INFO")
    worker.run()
