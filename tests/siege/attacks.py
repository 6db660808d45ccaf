"""The ways to do harm: what each caller sends, and how many there are."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.siege.peers import Count, Peer

CLIENT, WORKER = ("c" * 32, "w" * 32)
POLLS = 100_000
TASKS_OF_250_KB = 64
# Of this queue nothing ever reaches anybody.
NOBODYS = "nobodys"


class Attack(NamedTuple):
    """So many callers at once, each a `Peer` with these options."""

    does: str
    callers: int
    peer: Mapping[str, Any]
    # Where tasks of a quarter of a megabyte have to be first. Where `opening` is a function, it is
    # told their ids.
    queue: str = ""
    # At the port that speaks TLS.
    over_tls: bool = False

    def make(self, count: Count) -> Peer:
        return Peer(count, **self.peer)


def request(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: bytes | None = None,
    length: int | None = None,
    headers: str = "",
) -> bytes:
    """A request; with another `length`, the beginning of one."""
    if token is not None:
        headers += f"Authorization: Bearer {token}\r\n"
    if body is not None:
        size = len(body) if length is None else length
        headers += f"Content-Type: application/json\r\nContent-Length: {size}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode() + (body or b"")


def endless(token: str | None) -> dict[str, bytes]:
    """A body in chunks that never ends."""
    authorization = "" if token is None else f"Authorization: Bearer {token}\r\n"
    head = f"POST /tasks HTTP/1.1\r\nHost: x\r\n{authorization}Content-Type: application/json\r\n"
    opening = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    return {"opening": opening, "endless": b"10000\r\n" + b" " * 65_536 + b"\r\n"}


def dense(unit: bytes, size: int) -> bytes:
    """A batch with a payload of as many values as fit."""
    payload = unit * (size // len(unit))
    return b'{"tasks":[{"title":"t","payload":[' + payload + b"0]}]}"


def submit(payload: Any) -> bytes:
    task = {"title": "t", "queue": "large", "payload": payload}
    return request(
        "POST", "/tasks", token=CLIENT, body=json.dumps(task, ensure_ascii=False).encode()
    )


def batch(body: bytes) -> bytes:
    return request("POST", "/tasks/batch", token=CLIENT, body=body)


def read(ids: Sequence[int]) -> bytes:
    return request("GET", f"/tasks/{ids[0]}", token=CLIENT) * 16


def finish(ids: Sequence[int]) -> bytes:
    items = [{"lease_id": f"{number}.{'0' * 32}", "outcome": "complete"} for number in ids]
    body = json.dumps({"items": items}).encode()
    return request("POST", "/leases/finish", token=WORKER, body=body)


def claim_of(queue: str, limit: int = 1, wait_seconds: int = 30) -> dict[str, Any]:
    return {"worker": "w", "queues": [queue], "limit": limit, "wait_seconds": wait_seconds}


def poll(queue: str, limit: int = 1, wait_seconds: int = 30, padded: int = 0) -> bytes:
    claim = json.dumps(claim_of(queue, limit, wait_seconds)).ljust(padded)
    return request("POST", "/leases", token=WORKER, body=claim.encode())


def finish_and_poll(size: int) -> bytes:
    """Finishes with results of that size, by leases that are none, and a long poll."""
    items = [
        {"lease_id": f"{10**17 + n}.{'0' * 32}", "outcome": "complete", "result": "x" * size}
        for n in range(60)
    ]
    body = json.dumps({"items": items, "claim": claim_of("nothing")}).encode()
    return request("POST", "/leases/finish", token=WORKER, body=body)


def names(count: int) -> str:
    """A query of that many names."""
    return "&".join(f"{number:x}" for number in range(count))


def nested(size: int) -> Any:
    """Lists in lists, the most that a text of that size can be."""
    return json.loads("[" + ",".join(["[[[[[[]]]]]]"] * (size // 13)) + "]")


ALWAYS: Callable[[Count], bool] = lambda _: True  # noqa: E731
ATTACKS: Mapping[str, Attack] = {
    "idle": Attack("connect and say nothing", 10_000, {}),
    "crowd": Attack("connect and say nothing, more than there is room for", 15_000, {}),
    "slow-heads": Attack(
        "send a header a second",
        10_000,
        {"opening": b"GET /healthz HTTP/1.1\r\nHost: x\r\n", "drip": b"X-Slow: 1\r\n"},
    ),
    "endless-heads": Attack(
        "send headers without end",
        50,
        {"opening": b"GET /healthz HTTP/1.1\r\n", "endless": b"X-Long: 1\r\n" * 6000},
    ),
    "endless-header": Attack(
        "send one header without end",
        50,
        {"opening": b"GET /healthz HTTP/1.1\r\nX-Long: ", "endless": b"1" * 65_536},
    ),
    "slow-bodies": Attack(
        "send a byte of a body a second",
        5000,
        {
            "opening": request("POST", "/tasks", token=CLIENT, body=b"{", length=1_000_000),
            "drip": b" ",
        },
    ),
    "held-bodies": Attack(
        "send 900 kB of a body and stop",
        1000,
        {"opening": request("POST", "/tasks", token=CLIENT, body=b" " * 900_000, length=1_000_000)},
    ),
    "strangers": Attack(
        "send 900 kB of a body, with no token or a wrong one",
        1000,
        {"opening": request("POST", "/tasks", token="x", body=b" " * 900_000, length=1_000_000)},
    ),
    "endless-bodies": Attack("send a body without end", 50, endless(CLIENT)),
    "endless-strangers": Attack("send a body without end, with no token", 50, endless(None)),
    "large-tasks": Attack(
        "submit 250 kB, five at a time, over and over",
        200,
        {"opening": submit("x" * 250_000) * 5, "again": ALWAYS},
    ),
    "wide-text": Attack(
        "submit 250 kB with one character that makes Python's text four times as long",
        200,
        {"opening": submit("x" * 250_000 + "\U0001f600") * 5, "again": ALWAYS},
    ),
    "deep": Attack(
        "submit JSON that is 250 kB of lists in lists",
        100,
        {"opening": submit(nested(250_000)), "again": ALWAYS},
    ),
    "too-deep": Attack(
        "submit JSON that is 100,000 lists deep",
        200,
        {
            "opening": request("POST", "/tasks", token=CLIENT, body=b"[" * 100_000),
            "again": ALWAYS,
        },
    ),
    "dense": Attack(
        "submit batches of 15 MB that are nothing but empty lists",
        4,
        {"opening": batch(dense(b"[],", 15_000_000)), "again": ALWAYS},
    ),
    "numbers": Attack(
        "submit batches of 15 MB of numbers of 4,200 digits",
        4,
        {"opening": batch(dense(b"9" * 4200 + b",", 15_000_000)), "again": ALWAYS},
    ),
    "number": Attack(
        "submit a number of 900,000 digits",
        50,
        {
            "opening": request(
                "POST",
                "/tasks",
                token=CLIENT,
                body=b'{"title":"t","payload":1%b}' % (b"0" * 900_000),
            ),
            "again": ALWAYS,
        },
    ),
    "faults": Attack(
        "submit 80,000 unknown fields",
        20,
        {
            "opening": request(
                "POST",
                "/tasks",
                token=CLIENT,
                body=json.dumps({f"{n:x}": 0 for n in range(80_000)}).encode(),
            ),
            "again": ALWAYS,
        },
    ),
    "compressed": Attack(
        "submit a gigabyte, compressed to a megabyte",
        100,
        {
            "opening": request(
                "POST",
                "/tasks",
                token=CLIENT,
                body=gzip.compress(bytes(1_000_000_000), 1)[:1_000_000],
                headers="Content-Encoding: gzip\r\n",
            ),
            "again": ALWAYS,
        },
    ),
    "pipelines": Attack(
        "send requests without end and without waiting for an answer",
        50,
        {"endless": request("GET", "/healthz") * 1500},
    ),
    "piped-polls": Attack(
        "send a thousand long polls at once", 100, {"opening": poll("nothing") * 1000}
    ),
    "polls": Attack(
        f"ask for {POLLS:,} long polls, and again when refused",
        13_000,
        {"opening": poll("nothing"), "again": lambda count: count.asked < POLLS},
    ),
    "guesses": Attack(
        "show tokens that are not known",
        3000,
        {"opening": request("GET", "/tasks/1", token="guess"), "again": ALWAYS},
    ),
    "large-lists": Attack(
        "list tasks of 250 kB, and take none of it",
        100,
        {
            "opening": request("GET", "/tasks?queue=large&limit=1000", token=CLIENT) * 3,
            "reads": False,
        },
        queue="large",
    ),
    "large-reads": Attack(
        "read tasks of 250 kB, and take none of it",
        2000,
        {"opening": read, "reads": False},
        queue="large",
    ),
    "large-claims": Attack(
        "claim a hundred tasks of 250 kB at a time",
        8,
        {"opening": poll("large", limit=100, wait_seconds=5), "again": ALWAYS},
        queue="large",
    ),
    "large-finishes": Attack(
        "finish tasks of 250 kB, all at a time, by leases that are none",
        8,
        {"opening": finish, "again": ALWAYS},
        queue="large",
    ),
    "readiness": Attack(
        "ask whether all is well, with no token",
        1000,
        {"opening": request("GET", "/readyz"), "again": ALWAYS},
    ),
    "names": Attack(
        "ask whether it lives, with 60 kB of names",
        20,
        {"opening": request("GET", f"/healthz?{names(12_000)}"), "again": ALWAYS},
    ),
    "percents": Attack(
        "ask for a path of 60 kB of percent signs",
        20,
        {"opening": request("GET", "/tasks/" + "%41" * 20_000), "again": ALWAYS},
    ),
    "documents": Attack(
        "ask for the API's document",
        200,
        {"opening": request("GET", "/openapi.json"), "again": ALWAYS},
    ),
    "pages": Attack(
        "ask for the page that shows it, and its script",
        100,
        {
            "opening": request("GET", "/docs") + request("GET", "/swagger/swagger-ui-bundle.js"),
            "again": ALWAYS,
        },
    ),
    "upgrades": Attack(
        "submit 30 kB, and would rather speak HTTP/2",
        100,
        {
            "opening": request(
                "POST",
                "/tasks",
                token=CLIENT,
                body=json.dumps({"title": "t", "payload": "x" * 30_000}).encode(),
                headers="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
            ),
            "again": ALWAYS,
        },
    ),
    "overlaps": Attack(
        "send the beginning of a request with the end of another, more than there is room for",
        15_000,
        {"opening": request("GET", "/healthz") + b"POST /tasks HTTP/1.1\r\nHost: x\r\n"},
    ),
    "padded-polls": Attack(
        "ask for long polls with bodies of a megabyte",
        500,
        {"opening": poll("nothing", padded=1_000_000), "again": ALWAYS},
    ),
    "waiting-finishes": Attack(
        "finish with 15 MB of results, by leases that are none, and wait for work",
        20,
        {"opening": finish_and_poll(250_000), "again": ALWAYS},
    ),
    "vanishing-polls": Attack(
        "ask for long polls and hang up",
        1000,
        {"opening": poll("nothing"), "leaves": True},
    ),
    "vanishing-claims": Attack(
        "claim tasks of 250 kB and hang up",
        100,
        {"opening": poll(NOBODYS, limit=10, wait_seconds=0), "leaves": True},
        queue=NOBODYS,
    ),
    "untaken-claims": Attack(
        "claim a hundred tasks of 250 kB, and take none of them",
        100,
        {"opening": poll(NOBODYS, limit=100, wait_seconds=0), "reads": False},
        queue=NOBODYS,
    ),
    "silent-handshakes": Attack(
        "connect and say nothing, where TLS is spoken, more than there is room for",
        15_000,
        {},
        over_tls=True,
    ),
    "half-handshakes": Attack(
        "begin to speak TLS and stop",
        5000,
        {"opening": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)},
        over_tls=True,
    ),
    "no-handshakes": Attack(
        "speak no TLS where it is spoken, over and over",
        200,
        {"opening": request("GET", "/healthz"), "leaves": True},
        over_tls=True,
    ),
}
