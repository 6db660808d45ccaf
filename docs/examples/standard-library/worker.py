"""Claim tasks, answer each with the SHA-256 of its file, until Ctrl-C or SIGTERM.

python worker.py NAME [http://127.0.0.1:8000]
"""

import hashlib
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

LEASE_SECONDS = 5
stopping = threading.Event()  # what is in hand is done first


def digest(lease: dict[str, Any]) -> dict[str, Any]:
    """The work: how an attempt ended, and with what."""
    path = Path(lease["task"]["payload"]["path"])
    try:
        result = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    except OSError as error:
        return {"lease_id": lease["lease_id"], "outcome": "fail", "error": str(error)}
    return {"lease_id": lease["lease_id"], "outcome": "complete", "result": result}


def keep_alive(url: str, held: set[str]) -> None:
    """Say well within every LEASE_SECONDS that the worker lives."""
    with httpx.Client(base_url=url, timeout=LEASE_SECONDS) as rowlock:
        while True:
            time.sleep(LEASE_SECONDS / 3)
            for lease_id in list(held):
                try:
                    beat = rowlock.post(f"/leases/{lease_id}/heartbeat")
                except httpx.TransportError:
                    continue  # the next one may get through in time
                if beat.is_client_error:
                    held.discard(lease_id)  # somebody else's by now; finishing it will say so


def main(name: str, url: str = "http://127.0.0.1:8000") -> None:
    held: set[str] = set()
    threading.Thread(target=keep_alive, args=(url, held), daemon=True).start()
    claim = {
        "worker": name,
        "queues": ["stdlib"],
        "limit": 10,
        "wait_seconds": 2,
        "lease_seconds": LEASE_SECONDS,
    }
    done = 0
    endings: list[dict[str, Any]] = []
    with httpx.Client(base_url=url, timeout=60) as rowlock:
        while endings or not stopping.is_set():
            # Ends what was worked on and takes the next tasks, in one call.
            body = {"items": endings, "claim": None if stopping.is_set() else claim}
            answer = rowlock.post("/leases/finish", json=body).raise_for_status().json()
            done += sum(item["status"] == httpx.codes.OK for item in answer["items"])
            held.clear()
            held.update(lease["lease_id"] for lease in answer["leases"])
            endings = [digest(lease) for lease in answer["leases"]]
    print(f"{name} has done {done} tasks")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    main(*sys.argv[1:])
