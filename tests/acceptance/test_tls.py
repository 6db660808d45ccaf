"""An API that speaks HTTPS itself, for those without a proxy."""

import os
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app.local.ports import free_port
from tests.acceptance.commands import run
from tests.acceptance.deployment import Deployment, Process, until
from tests.acceptance.test_sdk_forks import program
from tests.support.certificate import make_certificate

CONNECTIONS = 16
LONG_ENOUGH = 20.0


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    place = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    make_certificate(*place)
    return place


@pytest.fixture
def https(
    deployment: Deployment, files: tuple[Path, Path], tmp_path: Path
) -> Iterator[tuple[Process, str]]:
    certificate, key = files
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
        "ROWLOCK_DATABASE_URL": deployment.database_url,
        "ROWLOCK_PORT": str(port),
        "ROWLOCK_TLS_CERTIFICATE_FILE": str(certificate),
        "ROWLOCK_TLS_KEY_FILE": str(key),
        "ROWLOCK_TRUSTED_PROXIES": "127.0.0.1",
        "ROWLOCK_CLIENT_TOKENS": "a-client",
        "ROWLOCK_CONNECTION_LIMIT": str(CONNECTIONS),
        "ROWLOCK_IDLE_TIMEOUT_SECONDS": "1",
    }
    process = Process("https", environment, tmp_path, "serve")
    url = f"https://127.0.0.1:{port}"
    until(lambda: answers(url, certificate), "answering over TLS", 30)
    yield process, url
    process.stop()


def answers(url: str, certificate: Path) -> bool:
    try:
        context = ssl.create_default_context(cafile=certificate)
        return httpx.get(f"{url}/healthz", verify=context).is_success
    except (httpx.TransportError, ssl.SSLError):
        return False


def test_tasks_go_over_tls_and_the_certificate_is_renewed_without_a_restart(
    https: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    process, url = https
    certificate, key = files
    environment = os.environ | {"SSL_CERT_FILE": str(certificate), "ROWLOCK_TOKEN": "a-client"}
    assert '"over TLS"' in run(environment, "submit", "over TLS", "--url", url, "--json").stdout

    plain = url.replace("https:", "http:")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{plain}/healthz")
    old = certificate.read_bytes()
    make_certificate(certificate, key)
    until(lambda: answers(url, certificate), "showing the new certificate")
    certificate.write_bytes(old)  # whose key it is not
    until(lambda: "certificate_not_read" in process.log.read_text(), "told")
    key.unlink()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert httpx.get(f"{url}/healthz", verify=context).is_success, "the good one goes on"


def test_who_guesses_is_named_by_a_proxy_that_is_trusted(
    https: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    process, url = https
    headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": "192.0.2.7"}
    context = ssl.create_default_context(cafile=files[0])
    assert httpx.get(f"{url}/tasks", headers=headers, verify=context).status_code == 401
    assert '"address": "192.0.2.7"' in process.log.read_text()
    assert "wrong" not in process.log.read_text()


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_a_fork_does_not_touch_its_parents_sessions(
    https: tuple[Process, str], files: tuple[Path, Path], kind: str
) -> None:
    url, certificate = https[1], files[0]
    environment = os.environ | {
        "SSL_CERT_FILE": str(certificate),
        "ROWLOCK_TOKEN": "a-client",
        "ROWLOCK_URL": url,
    }
    with httpx.Client(verify=ssl.create_default_context(cafile=certificate)) as http:
        headers = {"Authorization": "Bearer a-client"}
        answers = [
            http.post(f"{url}/tasks", json={"title": "t"}, headers=headers) for _ in range(8)
        ]
    program(kind, [answer.json()["id"] for answer in answers], environment)


def connected(url: str) -> socket.socket:
    """Without TLS, so far."""
    host, _, port = url.removeprefix("https://").partition(":")
    return socket.create_connection((host, int(port)), timeout=LONG_ENOUGH)


def over_tls(connection: socket.socket, files: tuple[Path, Path]) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=files[0])
    return context.wrap_socket(connection, server_hostname="127.0.0.1")


def test_however_a_connection_ends_that_is_no_error(
    https: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    process, url = https
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for sent in (b"", b"\x16\x03\x01", ask):  # nothing, a part of a handshake, no TLS at all
        for resets in (False, True):
            with connected(url) as caller:
                caller.sendall(sent)
                if resets:
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for how in ("unwraps", "closes", "resets", "says no more"):
        with over_tls(connected(url), files) as caller:
            caller.sendall(ask)
            assert caller.recv(65_536).startswith(b"HTTP/1.1 200 ")
            if how == "unwraps":
                caller.unwrap()
            elif how == "resets":
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif how == "says no more":
                caller.shutdown(socket.SHUT_WR)
                assert caller.recv(65_536) == b""
    with over_tls(connected(url), files) as caller:
        caller.sendall(ask.replace(b"Host", b"Connection: close\r\nHost"))
        received = b""
        while part := caller.recv(65_536):
            received += part
        assert received.endswith(b'{"status":"ok"}')
    until(lambda: open_connections(url, files) == 1, "all ended")
    assert "Traceback" not in process.log.read_text()
    assert '"error"' not in process.log.read_text()


def test_who_does_not_get_to_the_end_of_a_handshake_is_counted_and_let_go(
    https: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    """Silent sockets took every file that the process may open."""
    _, url = https
    with ExitStack() as silent:
        callers = [silent.enter_context(connected(url)) for _ in range(CONNECTIONS - 2)]
        for caller in callers[::2]:
            caller.sendall(b"\x16\x03\x01")
        assert open_connections(url, files) <= CONNECTIONS
        # All of them, and nobody had to ask for it.
        for caller in callers:
            assert caller.recv(1) == b""
        more = [silent.enter_context(connected(url)) for _ in range(3 * CONNECTIONS)]
        assert more[0].recv(1) == b""
        assert open_connections(url, files) <= CONNECTIONS


def open_connections(url: str, files: tuple[Path, Path]) -> int:
    context = ssl.create_default_context(cafile=files[0])
    figures = httpx.get(f"{url}/metrics", verify=context).raise_for_status().text
    (line,) = [line for line in figures.splitlines() if line.startswith("rowlock_connections ")]
    return int(float(line.split()[1]))


def test_a_large_answer_is_given_as_it_is_taken_and_no_faster(
    https: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    _, url = https
    with over_tls(connected(url), files) as caller:
        script = b"GET /swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
        caller.sendall(script + script.replace(b"Host", b"Connection: close\r\nHost"))
        size = 0
        while part := caller.recv(1000):
            size += len(part)
    assert size > 2 * 1_000_000
