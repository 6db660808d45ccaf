"""Packages of this machine's distribution for an ordinary user, by its own apt, changing nothing.

apt runs with private directories and without the system's record of installed packages. It takes
the archive's address and keyring from the machine's own sources, so every package is checked
against a signature this machine trusts already. The packages are unpacked, not installed.
"""

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.local.child import system_environment
from app.local.errors import LocalError

_TIMEOUT_SECONDS = 900

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

# What a package asks for and nothing that is run needs: apt takes it for installed.
_STATUS = """\
Package: {package}
Status: install ok installed
Version: 9999
Architecture: {architecture}
Multi-Arch: allowed
Maintainer: nobody
Description: not needed

"""


def need_apt() -> None:
    """Raises `LocalError` where there is none."""
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise LocalError(
                f"{tool} was not found; packages can be fetched only on Debian and its derivatives"
            )


def unpacked(
    work: Path, source: str, packages: Sequence[str], *, without: Sequence[str] = ()
) -> Path:
    """The tree of these packages and all that they need but `without`, below an empty `work`."""
    for place in ("state/lists/partial", "cache/archives/partial", "sources", "root"):
        (work / place).mkdir(parents=True)
    architecture = _run(["dpkg", "--print-architecture"], work).strip()
    known = (_STATUS.format(package=name, architecture=architecture) for name in without)
    (work / "status").write_text("".join(known))
    (work / "apt.conf").write_text(_APT_CONF.format(work=work))
    (work / "sources" / "archive.sources").write_text(source)
    apt = ["apt-get", "-c", str(work / "apt.conf"), "-q"]
    _run([*apt, "update"], work)
    _run([*apt, "install", "--download-only", "--yes", *packages], work)
    root = work / "root"
    for package in sorted((work / "cache/archives").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(root)], work)
    shutil.rmtree(root / "usr/share/doc", ignore_errors=True)
    return root


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
            timeout=_TIMEOUT_SECONDS,
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
def only_one(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One fetch at a time; what an interrupted one left behind is cleared away."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "fetch.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that is fetching …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in cache.glob(".fetch-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
