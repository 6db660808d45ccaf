"""The package archives this machine already trusts, read from its own apt sources."""

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ONE_LINE = re.compile(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)")


@dataclass(frozen=True)
class Archive:
    """One archive of packages; `signed_by` is a keyring, a key, or "" for apt's trusted keys."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    @property
    def own_suite(self) -> str | None:
        """The release itself, as against its updates, security fixes and backports."""
        return next((s for s in self.suites if "-" not in s and "/" not in s), None)

    def stanza(self, suite: str) -> str:
        """A deb822 source for one suite of it, asking for package lists and nothing else."""
        lines = ["Types: deb", f"URIs: {self.uri}", f"Suites: {suite}", "Targets: Packages"]
        lines.append(f"Components: {' '.join(self.components)}")
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def distributions() -> list[str]:
    """What this machine runs, and what that is made from: "ubuntu", "debian"."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    return [name for name in (release.get("ID", ""), *release.get("ID_LIKE", "").split()) if name]


def distribution_archives(etc_apt: Path, distribution: str) -> list[Archive]:
    """The main archives of the distribution itself ("debian", "ubuntu"), without third parties.

    Third parties publish for the same suites, so an archive counts only if its address ends in
    the distribution's name (or is a mirror list of that name) and it has the component `main`.
    The signature, not this choice, is what makes a package trustworthy.
    """
    listed = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*.list"))]
    stanzas = sorted((etc_apt / "sources.list.d").glob("*.sources"))
    archives = [archive for path in listed for archive in parse_one_line(_read(path))]
    archives += [archive for path in stanzas for archive in parse_deb822(_read(path))]
    ours = [a for a in archives if _belongs_to(a, distribution) and a.own_suite]
    return list(dict.fromkeys(ours))


def parse_one_line(text: str) -> Iterator[Archive]:
    """The binary archives of a `.list` file."""
    for line in text.splitlines():
        found = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if found:
            options, uri, suite, components = found.groups()
            signed_by = re.search(r"(?i)\bsigned-by=(\S+)", options or "")
            yield Archive(
                uri=uri,
                suites=(suite,),
                components=tuple(components.split()),
                signed_by=signed_by[1].replace(",", " ") if signed_by else "",
            )


def parse_deb822(text: str) -> Iterator[Archive]:
    """The enabled binary archives of a `.sources` file."""
    for block in re.split(r"\n[ \t]*\n", text):
        fields = _fields(block)
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no":
            for uri in fields.get("uris", "").split():
                yield Archive(
                    uri=uri,
                    suites=tuple(fields.get("suites", "").split()),
                    components=tuple(fields.get("components", "").split()),
                    signed_by=fields.get("signed-by", ""),
                )


def _fields(block: str) -> dict[str, str]:
    """Continuation lines are kept as they stand: a Signed-By may be a whole key."""
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in {" ", "\t"} and name:
            fields[name] += "\n" + line
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _belongs_to(archive: Archive, distribution: str) -> bool:
    last = archive.uri.rstrip("/").rpartition("/")[2].lower()
    named = last == distribution or last in {f"{distribution}.list", f"{distribution}-ports"}
    return named and "main" in archive.components


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
