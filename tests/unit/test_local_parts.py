"""The small parts of `rowlock dev`: ports, settings, the banner, children and the lock."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.local.banner import Banner, own_name, without_password
from app.local.child import Child
from app.local.dev_settings import DevSettings
from app.local.errors import LocalError
from app.local.lock import DirectoryLock
from app.local.ports import free_port, is_held_by, require_free


def test_a_taken_port_names_its_holder_and_the_way_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(LocalError) as caught:
            require_free("127.0.0.1", port)
    message = str(caught.value)
    assert f"Port {port} of 127.0.0.1" in message
    assert f"process {os.getpid()} (" in message
    assert f"ROWLOCK_PORT={port + 1}" in message


def test_a_port_taken_on_all_addresses_is_taken() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        with pytest.raises(LocalError, match=f"process {os.getpid()} "):
            require_free("127.0.0.1", listener.getsockname()[1])


def test_a_port_closed_a_moment_ago_is_free() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as accepted:
            accepted.close()
    require_free("127.0.0.1", port)
    assert free_port(port) == port


def test_a_free_port_is_none_that_the_kernel_gives_to_just_anybody() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(10_000 <= free_port() < lowest for _ in range(20))


def test_a_port_is_held_by_a_process_and_by_all_above_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not is_held_by(port, os.getpid()), "bound, but nobody listens"
        listener.listen()
        assert is_held_by(port, os.getpid())
        assert is_held_by(port, os.getppid())
        with subprocess.Popen(["sleep", "60"]) as stranger:
            assert not is_held_by(port, stranger.pid)
            stranger.kill()


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(LocalError, match=r"Port 8000 of 192\.0\.2\.1 cannot be used"):
        require_free("192.0.2.1", 8000)


def test_settings_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = DevSettings.read({})
    assert settings.home == tmp_path / ".local/share/rowlock"
    assert settings.url == "http://127.0.0.1:8000"
    assert settings.database_url is None
    assert settings.redis_url is None


def test_settings_from_the_environment() -> None:
    settings = DevSettings.read(
        {"ROWLOCK_HOME": "/x", "ROWLOCK_PORT": "81", "ROWLOCK_REDIS_URL": "", "ROWLOCK_HOST": "::"}
    )
    assert settings.home == Path("/x")
    assert settings.url == "http://[::1]:81"
    assert settings.redis_url == "", "empty is a choice: no Redis"
    assert DevSettings.read({"XDG_DATA_HOME": "/d"}).home == Path("/d/rowlock")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8000.0", "٣"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(LocalError, match="ROWLOCK_PORT must be a number from 1 to 65535, not"):
        DevSettings.read({"ROWLOCK_PORT": port})


def test_a_password_that_is_not_ours_is_not_shown() -> None:
    banner = Banner(
        url="http://127.0.0.1:8000",
        home=Path("/data"),
        mysql="mysql://me:secret@db.example:3306/x",
        redis="redis://:hidden@r.example/0",
        mysql_password_file=None,
        redis_password_file=None,
        tokens_needed=True,
        rowlock="rowlock",
        shows_passwords=True,
    ).text()
    assert "mysql://me:***@db.example:3306/x" in banner
    assert "redis://:***@r.example/0" in banner
    assert "secret" not in banner
    assert "hidden" not in banner
    for door in ("CLIENT", "WORKER"):
        assert f"export ROWLOCK_{door}_TOKEN=YOUR-{door}-TOKEN\n" in banner
        assert f"Bearer YOUR-{door}-TOKEN'" in banner


@pytest.mark.parametrize("is_on_the_path", [True, False])
def test_the_banner_calls_the_program_that_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_on_the_path: bool
) -> None:
    own = tmp_path / "my own/rowlock"
    another = tmp_path / "bin/rowlock"
    for program in (own, another):
        program.parent.mkdir()
        program.touch(mode=0o755)
    if is_on_the_path:  # as pipx puts it there
        another.unlink()
        another.symlink_to(own)
    monkeypatch.setattr("sys.executable", str(own.with_name("python")))
    monkeypatch.setenv("PATH", str(another.parent))

    assert own_name() == ("rowlock" if is_on_the_path else f"'{own}'")


@pytest.mark.parametrize("is_seen_by_a_person", [True, False])
def test_a_password_of_ours_is_shown_to_a_person_or_where_it_is_kept(
    is_seen_by_a_person: bool,
) -> None:
    banner = Banner(
        url="http://127.0.0.1:8000",
        home=Path("/data"),
        mysql="mysql://rowlock:secret@127.0.0.1:3306/rowlock",
        redis="redis://:hidden@127.0.0.1:6379/0",
        mysql_password_file=Path("/data/mysql/mark"),
        redis_password_file=Path("/data/valkey/valkey.conf"),
        tokens_needed=False,
        rowlock="rowlock",
        shows_passwords=is_seen_by_a_person,
    ).text()
    assert ("secret" in banner) == ("hidden" in banner) == is_seen_by_a_person
    for file in ("/data/mysql/mark", "/data/valkey/valkey.conf"):
        assert (f"(password: {file})" in banner) == (not is_seen_by_a_person)


@pytest.mark.parametrize("door", ["CLIENT", "WORKER", "ADMIN"])
def test_a_token_for_one_door_closes_them_all(door: str) -> None:
    assert DevSettings.read({f"ROWLOCK_{door}_TOKENS": "secret"}).has_tokens
    assert not DevSettings.read({f"ROWLOCK_{door}_TOKENS": ""}).has_tokens


@pytest.mark.parametrize("url", ["mysql://db.example/x", "redis://r.example:6379/0", ""])
def test_a_url_without_a_password_stays(url: str) -> None:
    assert without_password(url) == url


def test_a_child_is_started_from_the_main_thread_only(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            Child("x", ["true"], log=tmp_path / "log")
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "from the main thread" in str(errors[0])


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="Cannot run /nowhere/mysqld"):
        Child("x", ["/nowhere/mysqld"], log=tmp_path / "log")


@pytest.mark.parametrize("to_file", [True, False])
def test_how_a_child_ended_and_its_last_words(tmp_path: Path, to_file: bool) -> None:
    echoed: list[str] = []
    command = ["sh", "-c", "for i in $(seq 30); do echo line $i; done; exit 3"]
    if to_file:
        child = Child("x", command, log=tmp_path / "log")
    else:
        child = Child("x", command, echo=echoed.append)
    assert child.wait(60) == 3
    assert child.how_it_ended() == "exited with code 3"
    words = child.last_words()
    assert words.endswith("line 30")
    assert "line 11\n" in words
    assert "line 10\n" not in words
    assert to_file or len(echoed) == 30


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    deaf = threading.Event()
    script = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    child = Child("x", ["sh", "-c", script], echo=lambda _line: deaf.set())
    assert deaf.wait(60)
    child.stop(0.3)
    assert child.how_it_ended() == "was killed by SIGKILL"


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    child = Child("migration", ["sleep", "60"], log=tmp_path / "log")
    with pytest.raises(LocalError, match=r"migration did not end within 0\.1 s"):
        child.wait(0.1)
    assert child.exit_code() == -9


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    lock, second = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
    lock.acquire()
    with pytest.raises(LocalError, match=f"is in use by process {os.getpid()}\\."):
        second.acquire()
    lock.release()
    second.acquire()
    second.release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib; from app.local.lock import DirectoryLock;"
        "DirectoryLock(pathlib.Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    lock.release()
