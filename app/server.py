"""The API process: uvicorn, which on SIGTERM answers what waits before it closes."""

import asyncio
import gc
import signal
import sys
import time
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SO_REUSEPORT, SOL_SOCKET, socket
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.services import Services
from app.main import create_app
from app.service.platform import BATCHES
from app.settings import Settings
from app.tls import Certificate

STOP_SECONDS = 8
# How often the certificate's files are looked at.
LOOK_SECONDS = 1
# A terminal's Ctrl-C reaches both processes of the one executable, and the first passes it on.
# To uvicorn a second one means that it shall not wait for its callers.
ECHO_SECONDS = 0.3


class OneWrite:
    """A transport for uvicorn, which writes an answer's head and body one after the other: a
    system call each, and half of what sending costs. Here they go out together."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """Takes a caller that sends no more for one that has hung up, at once."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(OneWrite(transport, self.loop))  # type: ignore[arg-type]

    def eof_received(self) -> None:
        # uvicorn does so a turn of the event loop later. An answer written in between goes
        # nowhere, and the work that it hands out would stay out until its leases are lost.
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()


class Server(uvicorn.Server):
    """Told to stop, it wakes every long poll, so that open connections end in their answers."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        self._application = application
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interrupted_at = -ECHO_SECONDS

    async def startup(self, sockets: list[socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        # What is there by now stays: looking through it for garbage took 70 ms each time.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGINT:
            is_echo = time.monotonic() - self._interrupted_at < ECHO_SECONDS
            self._interrupted_at = time.monotonic()
            if is_echo:
                return
        super().handle_exit(sig, frame)
        services: Services | None = getattr(self._application.state, "services", None)
        if services is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(services.platform.close_doors)


def serve(settings: Settings, *, shares_port: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; what was accepted by then is answered.

    `shares_port`: other processes listen on the same one.
    """
    # Another process does beside this one's batch what a second batch of its own would.
    application = create_app(settings, batches_under_way=1 if shares_port else BATCHES)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_SECONDS,
        **_tls(settings),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn, having stopped in order, raises the signal again: to be told to stop is no fault.
        signal.signal(number, lambda *_: sys.exit(0))
    Server(config, application).run([_shared_socket(settings)] if shares_port else None)


def _tls(settings: Settings) -> dict[str, Any]:
    if settings.tls_certificate_file is None:
        return {}
    certificate = Certificate(settings.tls_certificate_file, settings.tls_key_file)
    return {
        "ssl_context_factory": lambda _config, _default: certificate.context,
        "callback_notify": certificate.renew,
        "timeout_notify": LOOK_SECONDS,
    }


def _shared_socket(settings: Settings) -> socket:
    """A socket for connections that the kernel has dealt to this process."""
    listening = socket(AF_INET6 if ":" in settings.host else AF_INET)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    listening.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
    listening.bind((settings.host, settings.port))
    return listening
