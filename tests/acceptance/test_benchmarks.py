"""Every benchmark runs: briefly, on few rows, and for no figure that would mean anything."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from bench.cli import LARGE, LIGHT

# They are about minutes, whatever they are told: `make bench` alone runs them.
LONG: Final = {"commits", "idle", "snapshot"}
BRIEFLY: Final = ("--rounds", "1", "--seconds", "0.3", "--rows", "3000", "--no-report")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_finds_something(project: Path, tmp_path: Path) -> None:
    names = sorted({*LIGHT, *LARGE} - LONG)

    ran = subprocess.run(
        [sys.executable, "-m", "bench", *names, *BRIEFLY, "--home", str(tmp_path)],
        cwd=project,
        env={k: v for k, v in os.environ.items() if not k.startswith("ROWLOCK_")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "failed: " not in ran.stdout
