"""Fetch a MySQL server as an ordinary user: which package, from where, and where it is kept."""

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.local.apt import need_apt, only_one, unpacked
from app.local.apt_sources import Archive, distribution_archives, distributions
from app.local.binary import ServerBinary, inspect_unpacked
from app.local.errors import LocalError

PACKAGES = ("mysql-server-core", "mysql-server-core-8.0", "mariadb-server-core")
_COMPLETE = "complete"

# The server package asks for perl for scripts of which we run none: 9 MB, 50 MB unpacked.
_NOT_NEEDED = ("perl",)


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
    need_apt()
    offers = [offer for offer in _offers(etc_apt, suite) if offer.package in packages]
    if not offers:
        raise LocalError(
            f"the apt sources in {etc_apt} do not contain this distribution's main archive"
        )
    failures: list[str] = []
    with only_one(cache, say):
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
    names = distributions()
    archives = [a for name in names for a in distribution_archives(etc_apt, name)]
    if suite is None and "debian" in names[:1]:
        yield from (_Offer("mysql-server-core", archive, "unstable") for archive in archives)
    for package in PACKAGES[1:]:
        for archive in archives:
            if found := suite or archive.own_suite:
                yield _Offer(package, archive, found)


def _fetch(cache: Path, offer: _Offer) -> ServerBinary:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as name:
        source = offer.archive.stanza(offer.suite)
        root = unpacked(Path(name), source, [offer.package], without=_NOT_NEEDED)
        inspect_unpacked(root)
        (root / _COMPLETE).write_text(f"{offer}\n")
        destination = cache / offer.package
        shutil.rmtree(destination, ignore_errors=True)
        root.rename(destination)
    return inspect_unpacked(destination)
