"""An attack, in a process of its own:
`python -m tests.trials.siege.attacker NAME PORT SECONDS [TASK]`.

It says at its end what came of it, in JSON.
"""

import asyncio
import json
import resource
import socket
import sys
import time

import uvloop

from tests.trials.siege.attack import Attack
from tests.trials.siege.attacks import ATTACKS
from tests.trials.siege.peers import Count, Peer

# Of 127.0.0.0/8, so that no address runs out of ports.
ADDRESSES = 50
AT_ONCE = 100
FILES_BESIDE = 100
COMING_SECONDS = 30.0


async def attack(attack: Attack, port: int, seconds: float) -> Count:
    """Until all callers have come, and so many seconds are over."""
    count = Count()
    began = time.monotonic()
    until = began + seconds
    peers: list[Peer] = []
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    callers = min(attack.callers, soft - FILES_BESIDE)
    next_tick = began + 1
    while (now := time.monotonic()) < until:
        if count.connected < callers:
            until = min(now, began + COMING_SECONDS) + seconds
        peers = [peer for peer in peers if not peer.is_over]
        if len(peers) < callers:
            more = min(AT_ONCE, callers - len(peers))
            peers += await asyncio.gather(
                *(connect(attack, count, port, len(peers) + n) for n in range(more))
            )
        await asyncio.sleep(0.02)
        if now >= next_tick:
            next_tick += 1
            for peer in peers:
                peer.tick()
    return count


async def connect(attack: Attack, count: Count, port: int, number: int) -> Peer:
    """One caller more; whether it is let in or not."""
    peer = attack.make(count)
    loop = asyncio.get_running_loop()
    connection = socket.socket()
    connection.setblocking(False)
    if not attack.peer.get("reads", True):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        connection.bind((f"127.0.0.{2 + number % ADDRESSES}", 0))
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.create_connection(lambda: peer, sock=connection)
    except OSError as error:
        count.answers[type(error).__name__] += 1
        connection.close()
    return peer


def main() -> None:
    name, port, seconds, *ids = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    one = ATTACKS[name]
    if one.of_tasks is not None:
        one = one._replace(peer={**one.peer, "opening": one.of_tasks([int(task) for task in ids])})
    count = uvloop.run(attack(one, int(port), float(seconds)))
    print(json.dumps(vars(count)), flush=True)


if __name__ == "__main__":
    main()
