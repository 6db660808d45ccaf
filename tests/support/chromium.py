"""A browser for the tests: the machine's own Chromium, or one fetched once as the MySQL is."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.local.apt import need_apt, only_one, unpacked
from app.local.apt_sources import distribution_archives, distributions
from app.local.errors import LocalError
from app.local.fetch import cache_directory
from app.local.lookup import say_on_stderr

INSTALLED: Final = ("chromium", "chromium-browser", "google-chrome")
# A font with Chinese, one for the rest, and one whose digits stand in columns.
PACKAGES: Final = ("chromium", "fonts-wqy-zenhei", "fonts-inter", "fonts-dejavu-core")
# The machine's own loader runs it, so the C library is the machine's; the rest is for a desktop.
WITHOUT: Final = (
    *("libc6", "perl", "debconf", "adduser", "passwd", "procps", "systemd", "dbus-user-session"),
    *("default-dbus-session-bus", "dconf-gsettings-backend", "adwaita-icon-theme", "x11-utils"),
    *("xdg-utils", "libgl1-mesa-dri"),
)
_COMPLETE: Final = "complete"
_FONTS: Final = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """How to start one. An unpacked one, or root's, has no sandbox of its own."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        is_bare = bool(self.environment) or os.geteuid() == 0
        return ["--disable-dev-shm-usage", *(["--no-sandbox"] if is_bare else [])]

    def version(self) -> str:
        """Raises `LocalError` if it does not run here."""
        try:
            ran = subprocess.run(
                [self.path, "--version"],
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LocalError(f"{self.path} cannot be run: {error}") from error
        if ran.returncode != 0:
            raise LocalError(f"{self.path} cannot be run: {ran.stderr.strip()[-300:]}")
        return ran.stdout.strip()


def find_chromium() -> Chromium:
    """The one that ROWLOCK_TEST_CHROMIUM names, one installed, or one fetched."""
    if named := os.environ.get("ROWLOCK_TEST_CHROMIUM"):
        return Chromium(Path(named))
    for name in INSTALLED:
        if found := shutil.which(name):
            return Chromium(Path(found))
    cache = cache_directory().parent / cache_directory().name.replace("server", "chromium")
    need_apt()
    with only_one(cache, say_on_stderr):
        return _cached(cache) or _fetch(cache)


def _cached(cache: Path) -> Chromium | None:
    if not (cache / "root" / _COMPLETE).exists():
        return None
    found = _unpacked_in(cache / "root")
    try:
        found.version()
    except LocalError:
        return None  # the machine has changed
    return found


def _fetch(cache: Path) -> Chromium:
    archives = [
        archive
        for name in distributions()
        for archive in distribution_archives(Path("/etc/apt"), name)
    ]
    if not archives:
        raise LocalError("the apt sources do not contain this distribution's main archive")
    archive = archives[0]
    assert archive.own_suite
    say_on_stderr(f"Fetching Chromium for the tests (160 MB) from {archive.uri} …")
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as name:
        source = archive.stanza(archive.own_suite)
        root = unpacked(Path(name), source, PACKAGES, without=WITHOUT)
        destination = cache / "root"
        shutil.rmtree(destination, ignore_errors=True)
        root.rename(destination)
    found = _unpacked_in(destination)
    fonts = _FONTS.format(fonts=destination / "usr/share/fonts", cache=cache / "fonts")
    (destination / "fonts.conf").write_text(fonts)
    (destination / _COMPLETE).write_text(found.version())
    return found


def _unpacked_in(root: Path) -> Chromium:
    libraries = [
        *root.glob("usr/lib/*-linux-*"),
        *root.glob("lib/*-linux-*"),
        *root.glob("usr/lib/*-linux-*/pulseaudio"),
    ]
    return Chromium(
        root / "usr/lib/chromium/chromium",
        {
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "FONTCONFIG_FILE": str(root / "fonts.conf"),
        },
    )
