"""Helpers in processes of their own: a job as a line of JSON to them, its outcome back."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Self

from bench.result import BenchError

Job = Mapping[str, Any]


class Remote:
    """A `python -m …` that works off jobs until its input ends, which it does with ours."""

    def __init__(self, *arguments: str) -> None:
        self._name = arguments[0]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, job: Job) -> dict[str, Any]:
        """The outcome of a job. Raises `BenchError` with what went wrong there."""
        self.send(job)
        return self.receive()

    def send(self, job: Job) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"{self._name} ended by itself")
        outcome: dict[str, Any] = json.loads(line)
        if "error" in outcome:
            raise BenchError(f"{self._name}: {outcome['error']}")
        return outcome

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def work_off(do: Callable[[dict[str, Any]], Job]) -> None:
    """The helper's side."""
    for line in sys.stdin:
        try:
            outcome = do(json.loads(line))
        except Exception as error:
            outcome = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(outcome), flush=True)
