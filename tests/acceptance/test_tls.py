"""An API that speaks HTTPS itself, for those without a proxy."""

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.local.ports import free_port
from tests.acceptance.commands import run
from tests.acceptance.deployment import Deployment, Process, until
from tests.acceptance.test_sdk_forks import program


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    place = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    make_certificate(*place)
    return place


@pytest.fixture
def api(
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
    }
    process = Process("https", environment, tmp_path, "serve")
    url = f"https://127.0.0.1:{port}"
    until(lambda: answers(url, certificate), "answering over TLS", 30)
    yield process, url
    process.stop()


def make_certificate(certificate_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rowlock")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key_file.write_bytes(private)
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))


def answers(url: str, certificate: Path) -> bool:
    try:
        context = ssl.create_default_context(cafile=certificate)
        return httpx.get(f"{url}/healthz", verify=context).is_success
    except (httpx.TransportError, ssl.SSLError):
        return False


def test_tasks_go_over_tls_and_the_certificate_is_renewed_without_a_restart(
    api: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    process, url = api
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
    api: tuple[Process, str], files: tuple[Path, Path]
) -> None:
    process, url = api
    headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": "192.0.2.7"}
    context = ssl.create_default_context(cafile=files[0])
    assert httpx.get(f"{url}/tasks", headers=headers, verify=context).status_code == 401
    assert '"address": "192.0.2.7"' in process.log.read_text()
    assert "wrong" not in process.log.read_text()


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_a_fork_does_not_touch_its_parents_sessions(
    api: tuple[Process, str], files: tuple[Path, Path], kind: str
) -> None:
    url, certificate = api[1], files[0]
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
