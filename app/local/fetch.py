"""Fetch a MySQL server as an ordinary user, by the machine's own apt, changing nothing on it.

apt runs with private directories and without the system's record of installed packages. It takes
the archive's address and keyring from the machine's own sources, so every package is checked
against a signature this machine trusts already. The packages are unpacked, not installed.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.local.apt_sources import Archive, distribution_archives
from app.local.binary import ServerBinary, inspect_unpacked
from app.local.child import system_environment
from app.local.errors import LocalError

PACKAGES = ("mysql-server-core", "mysql-server-core-8.0", "mariadb-server-core")
_APT_TIMEOUT_SECONDS = 300
_COMPLETE = "complete"

# `#clear` drops what the machine's own apt configuration would run or download besides.
_APT_CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
Dir::State "{work}/state";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{work}/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Retries "3";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Debug::NoLocking "true";
"""

# The server package asks for perl for scripts of which we run none: 9 MB, 50 MB unpacked.
_STATUS = """\
Package: perl
Status: install ok installed
Version: 9999
Architecture: {architecture}
Multi-Arch: allowed
Maintainer: nobody
Description: not needed by the server itself
"""


@dataclass(frozen=True)
class _Offer:
    package: str
    archive: Archive
    suite: str

    def __str__(self) -> str:
        return f"{self.package} of {self.archive.uri} {self.suite}"


def cache_directory() -> Path:
    """Where fetched servers are kept, per kind of machine (a home may be shared)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "rowlock" / f"server-{platform.machine()}"


def cached_server(cache: Path) -> ServerBinary | None:
    """The server fetched earlier, if there is one and it still runs."""
    for package in PACKAGES:
        if (cache / package / _COMPLETE).exists():
            try:
                return inspect_unpacked(cache / package)
            except LocalError:
                continue  # the fetch replaces it
    return None


def fetch_server(
    cache: Path,
    say: Callable[[str], None],
    *,
    etc_apt: Path = Path("/etc/apt"),
    packages: tuple[str, ...] = PACKAGES,
    suite: str | None = None,
) -> ServerBinary:
    """Fetch a server into the cache and return it; the error names every attempt.

    The first of `packages` that can be had is taken, from `suite` or, without one, from the suite
    that should carry it. What is taken instead of another is said together with why.
    """
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise LocalError(
                f"{tool} was not found; a server can be fetched only on Debian and its derivatives"
            )
    offers = [offer for offer in _offers(etc_apt, suite) if offer.package in packages]
    if not offers:
        raise LocalError(
            f"the apt sources in {etc_apt} do not contain this distribution's main archive"
        )
    failures: list[str] = []
    with _only_one(cache, say):
        if found := cached_server(cache):
            return found  # another process was faster
        for offer in offers:
            say(f"Fetching {offer}{f' instead of {failures[-1]}' if failures else ' …'}")
            try:
                return _fetch(cache, offer)
            except LocalError as error:
                failures.append(f"{offer}: {error}")
    raise LocalError("\n".join(failures))


def _offers(etc_apt: Path, suite: str | None) -> Iterator[_Offer]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    archives = [a for name in names if name for a in distribution_archives(etc_apt, name)]
    if suite is None and "debian" in names[:1]:
        yield from (_Offer("mysql-server-core", archive, "unstable") for archive in archives)
    for package in PACKAGES[1:]:
        for archive in archives:
            if found := suite or archive.own_suite:
                yield _Offer(package, archive, found)


def _fetch(cache: Path, offer: _Offer) -> ServerBinary:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as name:
        work = Path(name)
        _download(work, offer)
        root = work / "root"
        for package in sorted((work / "cache/archives").glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(root)], work)
        shutil.rmtree(root / "usr/share/doc", ignore_errors=True)
        inspect_unpacked(root)
        (root / _COMPLETE).write_text(f"{offer}\n")
        destination = cache / offer.package
        shutil.rmtree(destination, ignore_errors=True)
        root.rename(destination)
    return inspect_unpacked(destination)


def _download(work: Path, offer: _Offer) -> None:
    for place in ("state/lists/partial", "cache/archives/partial", "sources", "root"):
        (work / place).mkdir(parents=True)
    architecture = _run(["dpkg", "--print-architecture"], work).strip()
    (work / "status").write_text(_STATUS.format(architecture=architecture))
    (work / "apt.conf").write_text(_APT_CONF.format(work=work))
    (work / "sources" / "archive.sources").write_text(offer.archive.stanza(offer.suite))
    apt = ["apt-get", "-c", str(work / "apt.conf"), "-q"]
    _run([*apt, "update"], work)
    _run([*apt, "install", "--download-only", "--yes", offer.package], work)


def _run(command: list[str], work: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (a list, no shell)
            command,
            cwd=work,
            env={**system_environment(), "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_APT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        complaints = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]
        said = " ".join(complaints[-3:]) or done.stderr.strip()[-300:]
        raise LocalError(f"{command[0]} ended with {done.returncode}: {said}")
    return done.stdout


@contextmanager
def _only_one(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One fetch at a time; what an interrupted one left behind is cleared away."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "fetch.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that is fetching a server …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in cache.glob(".fetch-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
