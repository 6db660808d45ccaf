"""What CI does around the tests: it installs what they need, and says what was skipped."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = (
    "basename",
    "bash",
    "cat",
    "dirname",
    "env",
    "grep",
    "mktemp",
    "rm",
    "sort",
    "tail",
    "tee",
    "uniq",
)
MAKE = 'echo "make $*" >> "$CALLS"; [ "$1" != test ] || cat "$SAID"; [ "$1" != "$FAILS" ]'
SKIPPED = "SKIPPED [2] tests/acceptance/examples.py:72: jq is not installed; this example needs it"


class Machine:
    """A clone on a machine whose only commands are those in `bin`."""

    def __init__(self, home: Path, project: Path) -> None:
        self.home = home
        (home / ".ci").mkdir()
        shutil.copy(project / ".ci/run", home / ".ci/run")
        (home / "bin").mkdir()
        for tool in TOOLS:
            (home / "bin" / tool).symlink_to(str(shutil.which(tool)))
        self.has("make", MAKE)
        self.has("id", "echo 0")
        self.has("python3", f"echo {home} said")
        self.has("apt-get", 'echo "apt-get $*" >> "$CALLS"')
        (home / "said").write_text("3 passed\n")

    def has(self, name: str, script: str = "") -> None:
        (self.home / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.home / "bin" / name).chmod(0o755)

    def runs(self, fails: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", str(self.home / ".ci/run")],
            env={
                **{"PATH": str(self.home / "bin"), "TMPDIR": str(self.home), "FAILS": fails},
                **{"CALLS": str(self.home / "calls"), "SAID": str(self.home / "said")},
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return (self.home / "calls").read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, project: Path) -> Machine:
    return Machine(tmp_path, project)


def test_what_the_tests_need_is_installed_first(machine: Machine) -> None:
    machine.has("curl")
    machine.has("python3", "echo /usr/lib/some libpython3.11.so.1.0")
    ran = machine.runs()
    assert ran.returncode == 0, ran.stderr
    update, install, *made = machine.calls
    assert update == "apt-get -q update"
    assert (
        install == "apt-get -q -y --no-install-recommends install binutils jq nodejs libpython3.11"
    )
    assert "make test" in made
    assert "Skipped" not in ran.stdout


def test_nothing_is_installed_where_all_is_there(machine: Machine) -> None:
    for tool in ("objdump", "curl", "jq", "node"):
        machine.has(tool)
    assert machine.runs().returncode == 0
    assert not [call for call in machine.calls if call.startswith("apt-get")]


def test_an_ordinary_user_asks_sudo(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.has("sudo", 'shift; "$@"')
    assert machine.runs().returncode == 0
    assert machine.calls[0] == "apt-get -q update"


def test_where_nothing_can_be_installed_all_runs_and_what_is_skipped_is_shown(
    machine: Machine,
) -> None:
    machine.has("apt-get", 'echo "E: no network" >&2; exit 100')
    (machine.home / "said").write_text(f"{SKIPPED}\n3 passed, 2 skipped\n")
    ran = machine.runs()
    assert ran.returncode == 0
    assert "E: no network" in ran.stdout
    assert "Not installed: binutils curl jq nodejs" in ran.stdout
    assert "make test" in machine.calls
    assert SKIPPED in ran.stdout.partition("Skipped, of all the runs above:")[2]


@pytest.mark.parametrize(
    "target", ["binary", "wheels", "check-web", "test", "test-mariadb-10.11", "check", "chaos"]
)
def test_one_that_fails_fails_it_all_after_all_have_run(machine: Machine, target: str) -> None:
    ran = machine.runs(fails=target)
    assert ran.returncode == 1
    assert [call.split()[1] for call in machine.calls if call.startswith("make")] == [
        "binary",
        "wheels",
        "check-web",
        "test",
        "test-mariadb-10.11",
        "check",
        "chaos",
    ]
