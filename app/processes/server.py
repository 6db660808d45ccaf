"""The API process: uvicorn, which on SIGTERM answers what waits before it closes."""

import asyncio
import ctypes
import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SO_REUSEPORT, SOL_SOCKET, socket
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from app.api.services import Services
from app.http.connections import Connections
from app.http.handshake import Handshake
from app.http.protocol import Protocol
from app.processes.application import create_app
from app.runtime.certificate import Certificate
from app.service.resources import BATCHES
from app.settings import Settings

STOP_SECONDS = 8
# How often the certificate's files are looked at.
LOOK_SECONDS = 1
ENFORCE_SECONDS = 1.0
# For MySQL, Redis, the logs and what listens, besides the pool.
FILES_BESIDE = 96
M_MMAP_THRESHOLD = -3
OWN_BLOCK_BYTES = 128 * 1024
# A terminal's Ctrl-C reaches both processes of the one executable, and the first passes it on.
# To uvicorn a second one means that it shall not wait for its callers.
ECHO_SECONDS = 0.3
# libuv accepts one connection a turn of the event loop and listening socket (libuv #3696). A turn
# may serve a thousand callers: the backlog overflowed, and a caller dropped from it comes again
# only after 1, 3 and 7 s.
ACCEPTED_A_TURN = 16

log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """Told to stop, it wakes every long poll, so that open connections end in their answers."""

    def __init__(
        self, config: uvicorn.Config, application: FastAPI, connections: Connections
    ) -> None:
        super().__init__(config)
        self._application = application
        self._connections = connections
        self._sweeping: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interrupted_at = -ECHO_SECONDS

    async def startup(self, sockets: list[socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._application.openapi()  # at the first call it would keep all others waiting
        await super().startup(sockets)
        for server in list(self.servers):
            self.servers += await listen_again(server, self._accept, self.config.backlog)
        self._sweeping = self._loop.create_task(self._sweep())
        # What is there by now stays: looking through it for garbage took 70 ms each time.
        gc.collect()
        gc.freeze()

    def _accept(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        accepted: asyncio.Protocol = protocol(config=self.config, server_state=self.server_state)
        return accepted

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(ENFORCE_SECONDS)
            try:
                self._connections.enforce()
            except Exception:  # a bug; without this nobody would be timed out any more
                log.exception("sweep_failed")

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        # What was accepted in this turn of the event loop is not among those that are told.
        self._connections.are_closing = True
        await super().shutdown(sockets)

    def _log_started_message(self, _listeners: object) -> None:
        # In place of uvicorn's, which does not know of TLS.
        log.info("serving", url=self._application.state.settings.url)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGINT:
            is_echo = time.monotonic() - self._interrupted_at < ECHO_SECONDS
            self._interrupted_at = time.monotonic()
            if is_echo:
                return
        super().handle_exit(sig, frame)
        services: Services | None = getattr(self._application.state, "services", None)
        if services is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(services.resources.close_doors)


async def listen_again(
    server: asyncio.Server, accept: Callable[[], asyncio.Protocol], backlog: int
) -> list[asyncio.Server]:
    """Listen on duplicates of its sockets, which share their backlogs, so that `ACCEPTED_A_TURN`
    connections are accepted in a turn of the event loop."""
    loop = asyncio.get_running_loop()
    return [
        await loop.create_server(accept, sock=socket(fileno=os.dup(one.fileno())), backlog=backlog)
        for one in server.sockets
        for _ in range(ACCEPTED_A_TURN - 1)
    ]


def serve(settings: Settings, *, shares_port: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; what was accepted by then is answered.

    `shares_port`: other processes listen on the same one.
    """
    _give_memory_back()
    # Another process does beside this one's batch what a second batch of its own would.
    application = create_app(settings, batches_under_way=1 if shares_port else BATCHES)
    connections = Connections(settings, limit=_files_for(settings))
    certificate = _certificate(settings)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=_protocol(connections, certificate),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_SECONDS,
        **_tls(certificate),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn, having stopped in order, raises the signal again: to be told to stop is no fault.
        signal.signal(number, lambda *_: sys.exit(0))
    Server(config, application, connections).run(
        [_shared_socket(settings)] if shares_port else None
    )


def _give_memory_back() -> None:
    """glibc's own threshold grows up to 32 MiB, and what is smaller stays with the process, in
    pieces, when a load of large calls is long over."""
    with suppress(AttributeError):  # of another C library
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, OWN_BLOCK_BYTES)


def _files_for(settings: Settings) -> int:
    """How many connections there can be: as many as are wanted, if the system allows as many
    files."""
    beside = FILES_BESIDE + 2 * settings.database_pool_size
    wanted = settings.connection_limit + beside
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            log.warning("few_files", allowed=soft, wanted=wanted)
            return max(soft - beside, 1)
    return settings.connection_limit


def _certificate(settings: Settings) -> Certificate | None:
    if settings.tls_certificate_file is None:
        return None
    return Certificate(settings.tls_certificate_file, settings.tls_key_file)


def _tls(certificate: Certificate | None) -> dict[str, Any]:
    if certificate is None:
        return {}
    return {
        "callback_notify": certificate.renew,
        "timeout_notify": LOOK_SECONDS,
    }


def _protocol(connections: Connections, certificate: Certificate | None) -> Any:
    """What uvicorn calls for each connection that it has accepted."""

    def protocol(config: uvicorn.Config, server_state: ServerState, **_: object) -> Any:
        def over(beneath: asyncio.Transport | None = None) -> Protocol:
            return Protocol(config.loaded_app, server_state, connections, beneath)

        if certificate is None:
            return over()
        return Handshake(certificate.context, server_state, connections, over)

    return protocol


def _shared_socket(settings: Settings) -> socket:
    """A socket for connections that the kernel has dealt to this process."""
    listening = socket(AF_INET6 if ":" in settings.host else AF_INET)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    listening.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
    listening.bind((settings.host, settings.port))
    return listening
