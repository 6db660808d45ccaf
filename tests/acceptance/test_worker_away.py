"""`rowlock worker` where no Rowlock server answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.local.ports import free_port
from tests.acceptance.working import Work

HANDLERS = ("--handlers", "tests.acceptance.handlers:worker")


@contextmanager
def somebody_else(status: int) -> Iterator[str]:
    """A web server that answers every call with the same page."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", "/login")
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>Welcome</title>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("status", [200, 302, 404, 500, 501])
def test_a_url_of_somebody_else_ends_it_at_once(work: Work, status: int) -> None:
    with somebody_else(status) as url:
        worker = work("lost", "--url", url, *HANDLERS)
        assert worker.child.ends_within(10), worker.words
        assert worker.child.exit_code() == 1
        assert f"rowlock: {url} does not answer like a Rowlock server; check the URL" in (
            worker.words
        )
        assert str(status) in worker.words


def test_a_proxy_that_has_no_server_yet_is_waited_for(work: Work) -> None:
    with somebody_else(502) as url:
        worker = work("patient", "--url", url, *HANDLERS)
        assert not worker.child.ends_within(3)
        assert worker.words.count("the server is not available, trying again") == 1


def test_once_without_a_server_it_ends_with_an_error(work: Work) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    worker = work("once", "--url", url, *HANDLERS, "--once")
    assert worker.child.ends_within(40), worker.words
    assert worker.child.exit_code() == 1
    assert f"rowlock: POST {url}/leases" in worker.words
    assert worker.words.count("trying again") == 1
