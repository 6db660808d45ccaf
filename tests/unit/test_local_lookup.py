"""Which server runs: the one named, else one installed, else one fetched before, else fetched."""

import threading
from pathlib import Path

import pytest

from app.local.binary import Flavour, inspect, parse_version
from app.local.errors import LocalError
from app.local.fetch import cache_directory, cached_server, fetch_server
from app.local.lookup import find_server

MYSQL = "mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))"
MARIADB = "mariadbd  Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)"


def quiet(_line: str) -> None:
    pass


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def server(path: Path, version: str = MYSQL) -> Path:
    return executable(path, f'echo "{version}"')


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing installed; programs put in `bin` are on its PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("ROWLOCK_MYSQLD", raising=False)
    monkeypatch.setattr("app.local.lookup._SYSTEM_PLACES", ())
    return tmp_path


def fake_apt(machine: Path, apt: str = "", version: str = MYSQL) -> Path:
    """apt-get and dpkg that unpack a server which only tells its version; returns /etc/apt."""
    (machine / "sources.list").write_text("deb http://m.example/debian bookworm main\n")
    for tool in ("mkdir", "touch", "cat", "chmod", "sleep"):
        (machine / "bin" / tool).symlink_to(Path("/bin") / tool)
    executable(
        machine / "bin/apt-get",
        f'echo "$@" >> {machine}/apt-calls\n{apt}\ncase "$*" in *install*)'
        " touch cache/archives/server.deb;; esac",
    )
    executable(
        machine / "bin/dpkg",
        'if [ "$1" = --print-architecture ]; then echo amd64; exit; fi\n'
        'mkdir -p "$3/usr/lib/x" "$3/usr/sbin"; touch "$3/usr/sbin/mysqld"\n'
        f'printf \'#!/bin/sh\\necho "{version}"\\n\' > "$3/usr/lib/x/ld-linux-x.so.2"\n'
        'chmod +x "$3/usr/lib/x/ld-linux-x.so.2"',
    )
    return machine


@pytest.fixture(autouse=True)
def _debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "debian"})


@pytest.mark.parametrize(
    ("text", "flavour", "version"),
    [
        (MYSQL, Flavour.MYSQL, (9, 7, 4)),
        (MARIADB, Flavour.MARIADB, (10, 11, 18)),
        ("/opt/x/mysqld  Ver 8.0.36-28 for Linux on x86_64 (Percona)", Flavour.MYSQL, (8, 0, 36)),
        ("mariadbd from 11.4.2-MariaDB, client 15.2", Flavour.MARIADB, (11, 4, 2)),
    ],
)
def test_version_line(text: str, flavour: Flavour, version: tuple[int, int, int]) -> None:
    assert parse_version(text) == (flavour, version)


@pytest.mark.parametrize("text", ["", "hello", "postgres (PostgreSQL) 16.1"])
def test_not_a_version_line(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize(
    "version", ["mysqld  Ver 8.0.0 for Linux", "mysqld  Ver 5.7.44", "x  Ver 10.5.29-MariaDB"]
)
def test_too_old(tmp_path: Path, version: str) -> None:
    with pytest.raises(LocalError, match=r"too old: .* or newer is needed"):
        inspect(server(tmp_path / "mysqld", version))


@pytest.mark.parametrize("version", ["mysqld  Ver 8.0.1", "x  Ver 10.6.0-MariaDB"])
def test_just_new_enough(tmp_path: Path, version: str) -> None:
    assert inspect(server(tmp_path / "mysqld", version)).path == tmp_path / "mysqld"


def test_the_named_server_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server(machine / "bin/mysqld")
    named = server(machine / "named", MARIADB)
    monkeypatch.setenv("ROWLOCK_MYSQLD", str(named))
    assert find_server().path == named


@pytest.mark.parametrize("script", ["exit 1", "echo hello", 'echo "x  Ver 5.7.1"'])
def test_a_bad_named_server_is_not_replaced(
    machine: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    server(machine / "bin/mysqld")
    monkeypatch.setenv("ROWLOCK_MYSQLD", str(executable(machine / "named", script)))
    with pytest.raises(LocalError, match=r"ROWLOCK_MYSQLD: .*named"):
        find_server()


def test_an_installed_server_comes_before_a_fetched_one(machine: Path) -> None:
    fetch_server(cache_directory(), quiet, etc_apt=fake_apt(machine))
    installed = server(machine / "bin/mariadbd", MARIADB)
    assert find_server().path == installed


def test_an_installed_server_that_is_too_old_is_passed_over_with_a_word(machine: Path) -> None:
    server(machine / "bin/mysqld", "mysqld  Ver 5.7.44")
    installed = server(machine / "bin/mariadbd", MARIADB)
    said: list[str] = []
    assert find_server(said.append).path == installed
    (line,) = said
    assert line.startswith(f"Using MariaDB 10.11.18 at {installed}, because ")
    assert f"{machine}/bin/mysqld is MySQL 5.7.44, too old" in line


def test_one_fetched_before_in_the_place_of_one_too_old_comes_with_a_word(machine: Path) -> None:
    fetch_server(cache_directory(), quiet, etc_apt=fake_apt(machine))
    server(machine / "bin/mysqld", "mysqld  Ver 5.7.44")
    said: list[str] = []
    find_server(said.append)
    (line,) = said
    assert line.startswith("Using MySQL 9.7.4 at ")
    assert "MySQL 5.7.44, too old" in line


def test_one_that_is_as_it_should_be_needs_no_word(machine: Path) -> None:
    server(machine / "bin/mysqld")
    said: list[str] = []
    find_server(said.append)
    assert said == []


def test_a_server_fetched_before_is_used_again(machine: Path) -> None:
    fetched = fetch_server(cache_directory(), quiet, etc_apt=fake_apt(machine))
    (machine / "bin/apt-get").unlink()
    assert find_server() == fetched
    assert fetched.command[0].startswith(str(machine / "cache"))


def test_without_apt_the_message_says_what_to_do(machine: Path) -> None:
    server(machine / "bin/mysqld", "mysqld  Ver 5.7.44")
    with pytest.raises(LocalError) as caught:
        find_server()
    message = str(caught.value)
    assert "MySQL 5.7.44, too old" in message
    assert "apt-get was not found" in message
    assert "ROWLOCK_DATABASE_URL=mysql://" in message
    assert "ROWLOCK_MYSQLD=" in message


def test_a_failed_fetch_names_every_attempt_and_leaves_nothing(machine: Path) -> None:
    etc_apt = fake_apt(machine, apt='echo "E: no network" >&2; exit 100')
    with pytest.raises(LocalError) as caught:
        fetch_server(cache_directory(), quiet, etc_apt=etc_apt)
    assert "mysql-server-core of http://m.example/debian unstable" in str(caught.value)
    assert "mariadb-server-core of http://m.example/debian bookworm" in str(caught.value)
    assert "E: no network" in str(caught.value)
    assert [path.name for path in cache_directory().iterdir()] == ["fetch.lock"]


def test_what_is_fetched_in_the_place_of_another_is_said_with_why(machine: Path) -> None:
    etc_apt = fake_apt(
        machine,
        apt='if grep -q unstable sources/*; then echo "E: Release is expired" >&2; exit 100; fi; '
        'case "$*" in *-8.0) echo "E: Unable to locate package" >&2; exit 100;; esac',
        version=MARIADB,
    )
    (machine / "bin/grep").symlink_to("/bin/grep")
    said: list[str] = []
    fetched = fetch_server(cache_directory(), said.append, etc_apt=etc_apt)
    assert fetched.flavour is Flavour.MARIADB
    archive = "http://m.example/debian"
    assert said == [
        f"Fetching mysql-server-core of {archive} unstable …",
        f"Fetching mysql-server-core-8.0 of {archive} bookworm instead of "
        f"mysql-server-core of {archive} unstable: "
        "apt-get ended with 100: E: Release is expired",
        f"Fetching mariadb-server-core of {archive} bookworm instead of "
        f"mysql-server-core-8.0 of {archive} bookworm: "
        "apt-get ended with 100: E: Unable to locate package",
    ]


def test_a_suite_that_is_named_is_the_only_one_that_is_asked(machine: Path) -> None:
    etc_apt = fake_apt(machine, apt=f"cat sources/* >> {machine}/asked", version=MARIADB)
    fetched = fetch_server(
        cache_directory(),
        quiet,
        etc_apt=etc_apt,
        packages=("mariadb-server-core",),
        suite="trixie",
    )
    assert fetched.flavour is Flavour.MARIADB
    asked = (machine / "asked").read_text().splitlines()
    assert {line for line in asked if line.startswith("Suites:")} == {"Suites: trixie"}


def test_a_fetched_server_that_does_not_run_is_not_kept(machine: Path) -> None:
    with pytest.raises(LocalError, match="does not report its version"):
        fetch_server(cache_directory(), quiet, etc_apt=fake_apt(machine, version="Segfault"))
    assert cached_server(cache_directory()) is None


def test_two_that_fetch_at_once_fetch_once(machine: Path) -> None:
    etc_apt = fake_apt(machine, apt="sleep 0.2")
    found = []

    def fetch() -> None:
        found.append(fetch_server(cache_directory(), quiet, etc_apt=etc_apt))

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert (machine / "apt-calls").read_text().count("install") == 1


def test_what_an_interrupted_fetch_left_is_cleared_away(machine: Path) -> None:
    (cache_directory() / ".fetch-abc/root").mkdir(parents=True)
    (cache_directory() / "mysql-server-core").mkdir()
    fetch_server(cache_directory(), quiet, etc_apt=fake_apt(machine))
    left = sorted(path.name for path in cache_directory().iterdir())
    assert left == ["fetch.lock", "mysql-server-core"]
