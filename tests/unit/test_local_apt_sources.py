"""The archive to fetch a server from is the distribution's own, however it is written down."""

from pathlib import Path

import pytest

from app.local.apt_sources import Archive, distribution_archives, parse_deb822, parse_one_line

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

DEB822 = f"""\
# the archive
Types: deb deb-src
# an older address
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: {KEYRING}
"""


def etc_apt(root: Path, **files: str) -> Path:
    (root / "sources.list.d").mkdir()
    for name, text in files.items():
        (root / "sources.list.d" / name.replace("_", ".")).write_text(text)
    return root


def test_deb822_names_uri_suites_components_and_key() -> None:
    main, security = parse_deb822(DEB822)
    assert main == Archive(
        uri="http://mirror.example/debian",
        suites=("bookworm", "bookworm-updates"),
        components=("main", "contrib"),
        signed_by=KEYRING,
    )
    assert main.own_suite == "bookworm"
    assert security.own_suite is None


def test_deb822_keeps_a_key_that_is_written_out() -> None:
    (archive,) = parse_deb822(
        "Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n"
        " -----END PGP PUBLIC KEY BLOCK-----\n"
    )
    (again,) = parse_deb822(archive.stanza("sid"))
    assert again.signed_by == archive.signed_by
    assert again.signed_by.count("\n") == 4


@pytest.mark.parametrize(
    "stanza",
    [
        "Types: deb-src\nURIs: http://m.example/debian\nSuites: sid\nComponents: main",
        "Types: deb\nEnabled: no\nURIs: http://m.example/debian\nSuites: sid\nComponents: main",
        "",
        "nonsense",
    ],
)
def test_deb822_without_enabled_binary_packages_is_nothing(stanza: str) -> None:
    assert list(parse_deb822(stanza)) == []


@pytest.mark.parametrize(
    ("line", "signed_by"),
    [
        ("deb http://m.example/debian bookworm main contrib", ""),
        (
            "deb  [arch=amd64 signed-by=/k.gpg]  http://m.example/debian bookworm main contrib # x",
            "/k.gpg",
        ),
        (
            "deb [ signed-by=/a.gpg,/b.gpg ] http://m.example/debian bookworm main contrib",
            "/a.gpg /b.gpg",
        ),
    ],
)
def test_one_line_format(line: str, signed_by: str) -> None:
    (archive,) = parse_one_line(line)
    expected = ("http://m.example/debian", ("bookworm",), ("main", "contrib"), signed_by)
    assert (archive.uri, archive.suites, archive.components, archive.signed_by) == expected


@pytest.mark.parametrize(
    "line",
    ["", "# deb http://m.example/debian sid main", "deb-src http://m.example/debian sid main"],
)
def test_one_line_that_names_no_binary_packages(line: str) -> None:
    assert list(parse_one_line(line)) == []


def test_third_parties_and_security_are_left_aside(tmp_path: Path) -> None:
    root = etc_apt(
        tmp_path,
        debian_sources=DEB822,
        vendor_list="deb https://vendor.example/apt bookworm main",
        docker_list="deb https://download.vendor.example/linux/debian bookworm stable",
        node_sources="Types: deb\nURIs: https://n.example/node\nSuites: nodistro\nComponents: main",
    )
    assert [a.uri for a in distribution_archives(root, "debian")] == [
        "http://mirror.example/debian"
    ]


@pytest.mark.parametrize(
    ("distribution", "line"),
    [
        ("debian", "deb http://m.example/debian/ bookworm main"),
        ("debian", "deb mirror+file:///etc/apt/mirrors/debian.list bookworm main"),
        ("debian", "deb [trusted=yes] http://m.example/mirrors/debian trixie main"),
        ("ubuntu", "deb http://m.example/ubuntu noble main universe"),
        ("ubuntu", "deb http://m.example/ubuntu-ports noble main universe"),
    ],
)
def test_addresses_of_the_distribution(tmp_path: Path, distribution: str, line: str) -> None:
    (tmp_path / "sources.list").write_text(line)
    (archive,) = distribution_archives(tmp_path, distribution)
    assert archive.uri in line
    assert "rusted" not in archive.stanza("unstable"), (
        "trust without a signature is not carried over"
    )


def test_no_sources_at_all(tmp_path: Path) -> None:
    assert distribution_archives(tmp_path / "missing", "debian") == []
