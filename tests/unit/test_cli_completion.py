"""What shells complete, and what they get from us for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("rowlock")


def completed(words: str, shell: str = "bash") -> list[str]:
    """What may stand in the place of the last of these words."""
    given = {
        "_ROWLOCK_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": f"rowlock {words}",
        "COMP_CWORD": str(len(f"{words}.".split())),
    }
    ran = subprocess.run(
        [PROGRAM], env=os.environ | given, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.splitlines()


@pytest.fixture
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks.jsonl").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("re", ["recount", "resume", "retry"]),
        ("--v", ["--version"]),
        ("list --created", ["--created-after", "--created-before"]),
        ("list --lim", ["--limit"]),
        ("list --limit 5 --lim", []),
        ("list --queue a --que", ["--queue"]),
        ("list --status re", ["retrying"]),
        ("list --status = re", ["retrying"]),
        ("list -s done --priority h", ["high"]),
        ("submit t -p ", ["高", "中", "低", "high", "medium", "low"]),
        ("submit -- --p", []),
        ("worker --exec cat --q", []),
        ("worker --q", ["--queue"]),
        ("serve --one", []),
        ("nonsense --", []),
        ("list --nonsense --q", []),
        ("completion ", ["bash", "zsh", "fish"]),
        ("completion bash ", []),
        ("schedule p", ["put", "pause"]),
        ("schedule put x --catch", ["--catch-up"]),
        ("schedule put x --overlap ", ["skip", "allow", "queue_one"]),
        ("schedule --h", ["--help"]),
        ("schedule nonsense --", []),
    ],
)
def test_commands_options_and_values_are_completed(words: str, found: list[str]) -> None:
    assert completed(words) == found


@pytest.mark.usefixtures("_in_a_folder")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("import t", ["tasks.jsonl", "there/"]),
        ("import .", [".hidden"]),
        ("export -o ta", ["tasks.jsonl"]),
        ("submit t --payload @ta", ["@tasks.jsonl"]),
        ("submit t --payload @ ta", ["@tasks.jsonl"]),
        ("submit t --payload ta", []),
        ("import 'ta", ["tasks.jsonl"]),
    ],
)
def test_files_are_completed(words: str, found: list[str]) -> None:
    assert completed(words) == found


def test_files_elsewhere_are_completed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert completed(f"import {tmp_path}/th") == [f"{tmp_path}/there/"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_it_is_about(shell: str) -> None:
    assert completed("pau", shell) == ["pause\tPause tasks: they are not claimed until resumed."]
    assert completed("list --status=re", shell) == ["--status=retrying\t"]


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_runs_what_it_is_given() -> None:
    script = """\
eval "$(rowlock completion bash)"
COMP_WORDS=(rowlock list --status = re) COMP_CWORD=4
_rowlock_completion rowlock re =
printf '%s\\n' "${COMPREPLY[@]}"
complete -p rowlock
"""
    given = os.environ | {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", script], env=given, capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "retrying",
        "complete -o default -F _rowlock_completion rowlock",
    ]
