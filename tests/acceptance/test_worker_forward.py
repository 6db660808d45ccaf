"""`rowlock worker --forward` against a service that answers well, badly, or not at all."""

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local.child import Child
from rowlock import Client, Task
from tests.acceptance.deployment import Api, Deployment, until

ANSWERS = {
    "well": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n42",
    "500": b"HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nbroken",
    "429": b"HTTP/1.1 429 Slow\r\nRetry-After: 900\r\nContent-Length: 0\r\n\r\n",
    "404": b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnone",
    "garbage": b"\0\1\2 this is no HTTP\r\n\r\n",
    "hangs up": b"",
}


class Service:
    """Answers by the task's title; the one titled "silence" it lets wait for ever."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            with connection.makefile("rb") as lines:
                headers = {}
                for line in iter(lines.readline, b"\r\n"):
                    name, _, value = line.decode().partition(": ")
                    headers[name.lower()] = value.strip()
                lines.read(int(headers["content-length"]))
            title = headers["rowlock-title"].replace("%20", " ")
            if title != "silence":
                connection.sendall(ANSWERS[title])
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for connection in self._open:
            connection.close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_each_answer_has_its_consequence(
    deployment: Deployment, api: Api, service: Service, tmp_path: Path, processes: str
) -> None:
    deployment.schedule()
    with Client(api.url) as client:
        for title in (*ANSWERS, "silence"):
            client.submit(
                title,
                timeout_seconds=1 if title == "silence" else 60,
                retry_delay_seconds=600,
                retry_backoff="fixed",
            )
        worker = Child(
            "worker",
            [sys.executable, "-m", "app", "worker", "--url", api.url, "--concurrency", "8",
             "--processes", processes, "--forward", service.url],
            log=tmp_path / "worker.log",
        )  # fmt: skip

        def tasks() -> dict[str, Task]:
            return {task.title: task for task in client.list()}

        try:
            until(
                lambda: all(t.status not in ("to_do", "in_progress") for t in tasks().values()),
                "all have ended or wait for their retry",
            )
        finally:
            worker.stop(15)
        found = tasks()

    assert (found["well"].status, found["well"].result) == ("done", 42)
    assert (found["404"].status, found["404"].current_retry_count) == ("failed", 0)
    assert found["404"].error == f"{service.url} answered 404: none"
    for title, said in (
        ("500", "answered 500: broken"),
        ("429", "answered 429"),
        ("garbage", service.url),
        ("hangs up", service.url),
        ("silence", "timed out after 1 s"),
    ):
        task = found[title]
        assert (task.status, task.current_retry_count) == ("retrying", 1), title
        assert task.error is not None
        assert said in task.error
        assert task.available_at is not None
        delay = (task.available_at - task.updated_at).total_seconds()
        assert round(delay) == (900 if title == "429" else 600)
