"""The servers under siege: one, and another one that speaks TLS, each with its honest caller."""

import os
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from app.local.child import Child
from app.local.errors import LocalError
from app.local.ports import free_port
from app.settings import Settings
from tests.trials.siege.attacks import NOBODYS
from tests.trials.siege.calls import CLIENT, WORKER
from tests.trials.siege.honest import Honest
from tests.trials.siege.prepared import Doors

READY_SECONDS = 30.0
EMPTY_SECONDS = 15.0
# The honest caller's own, and the one that asks.
OWN_CONNECTIONS = 4


class Server:
    """A `rowlock serve`, with the settings as they are by default."""

    def __init__(
        self,
        name: str,
        home: Path,
        settings: Settings,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.port = free_port()
        self.log = home / f"{name}.log"
        self._read_lines = 0
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
            "ROWLOCK_DATABASE_URL": settings.database_url,
            "ROWLOCK_REDIS_URL": settings.redis_url or "",
            "ROWLOCK_CLIENT_TOKENS": CLIENT,
            "ROWLOCK_WORKER_TOKENS": WORKER,
            "ROWLOCK_LOG_LEVEL": "warning",
        }
        scheme, verify = "http", ssl.create_default_context()
        if certificate is not None:
            scheme, verify = "https", ssl.create_default_context(cafile=certificate[0])
            environment["ROWLOCK_TLS_CERTIFICATE_FILE"] = str(certificate[0])
            environment["ROWLOCK_TLS_KEY_FILE"] = str(certificate[1])
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port)]
        self._child = Child(name, command, log=self.log, environment=environment)
        url = f"{scheme}://127.0.0.1:{self.port}"
        client, worker = ({"Authorization": f"Bearer {token}"} for token in (CLIENT, WORKER))
        self.doors = Doors(
            *(
                httpx.Client(base_url=url, headers=headers, timeout=60, verify=verify)
                for headers in (client, worker)
            )
        )
        self.honest = Honest(url, client, worker, verify)

    def wait_ready(self) -> None:
        """Then its honest caller begins."""
        until = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > until:
                raise LocalError(f"serve is not ready.{self._child.last_words()}")
            time.sleep(0.1)
        self.honest.start()

    def begin(self) -> None:
        """The peak of its memory, and how the honest caller is served, is from now on."""
        Path(f"/proc/{self._child.pid}/clear_refs").write_text("5")
        self.honest.served()

    def peak_mb(self) -> float:
        """Raises `LocalError` if it has ended."""
        if self._child.exit_code() is not None:
            raise LocalError(f"serve {self._child.how_it_ended()}")
        for line in Path(f"/proc/{self._child.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise LocalError("serve has gone")

    def left(self) -> dict[str, int]:
        """What callers have left behind who have all gone, after a while."""
        until = time.monotonic() + EMPTY_SECONDS
        while (left := self._left()) and time.monotonic() < until:
            time.sleep(0.2)
        return left

    def faults(self) -> list[str]:
        """Errors that it has logged since this was asked before."""
        lines = self.log.read_text().splitlines()
        fresh, self._read_lines = lines[self._read_lines :], len(lines)
        return [line for line in fresh if '"level": "error"' in line or "Traceback" in line]

    def close(self) -> None:
        self.honest.stopping.set()
        if self.honest.is_alive():
            self.honest.join(30)
        self._child.kill()

    def _left(self) -> dict[str, int]:
        figures = self._figures()
        found = {
            "waiting": figures.get("rowlock_waiting_callers", 0),
            "connections": max(figures.get("rowlock_connections", 0) - OWN_CONNECTIONS, 0),
            "leases": figures.get(f'rowlock_running_tasks{{queue="{NOBODYS}"}}', 0),
        }
        return {what: count for what, count in found.items() if count}

    def _figures(self) -> dict[str, int]:
        text = self.doors.client.get("/metrics").raise_for_status().text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: int(float(value)) for name, value in lines}

    def _is_ready(self) -> bool:
        try:
            answer: Any = self.doors.client.get("/readyz")
        except httpx.TransportError:
            return False
        return bool(answer.is_success)
