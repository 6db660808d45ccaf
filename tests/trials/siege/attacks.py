"""The ways to do harm: what each caller sends, and how many there are."""

import gzip
import json
from collections.abc import Mapping

from tests.trials.siege.attack import Attack, always
from tests.trials.siege.calls import (
    CLIENT,
    batch,
    dense,
    endless,
    finish,
    finish_and_poll,
    names,
    nested,
    poll,
    read,
    request,
    submit,
)
from tests.trials.siege.prepared import large_tasks
from tests.trials.siege.work import WORK

POLLS = 100_000
# Of this queue nothing ever reaches anybody.
NOBODYS = "nobodys"

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
        {"opening": submit("x" * 250_000) * 5, "again": always},
    ),
    "wide-text": Attack(
        "submit 250 kB with one character that makes Python's text four times as long",
        200,
        {"opening": submit("x" * 250_000 + "\U0001f600") * 5, "again": always},
    ),
    "deep": Attack(
        "submit JSON that is 250 kB of lists in lists",
        100,
        {"opening": submit(nested(250_000)), "again": always},
    ),
    "too-deep": Attack(
        "submit JSON that is 100,000 lists deep",
        200,
        {
            "opening": request("POST", "/tasks", token=CLIENT, body=b"[" * 100_000),
            "again": always,
        },
    ),
    "dense": Attack(
        "submit batches of 15 MB that are nothing but empty lists",
        4,
        {"opening": batch(dense(b"[],", 15_000_000)), "again": always},
    ),
    "numbers": Attack(
        "submit batches of 15 MB of numbers of 4,200 digits",
        4,
        {"opening": batch(dense(b"9" * 4200 + b",", 15_000_000)), "again": always},
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
            "again": always,
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
            "again": always,
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
            "again": always,
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
        {"opening": request("GET", "/tasks/1", token="guess"), "again": always},
    ),
    "large-lists": Attack(
        "list tasks of 250 kB, and take none of it",
        100,
        {
            "opening": request("GET", "/tasks?queue=large&limit=1000", token=CLIENT) * 3,
            "reads": False,
        },
        large_tasks("large"),
    ),
    "large-reads": Attack(
        "read tasks of 250 kB, and take none of it",
        2000,
        {"reads": False},
        large_tasks("large"),
        of_tasks=read,
    ),
    "large-claims": Attack(
        "claim a hundred tasks of 250 kB at a time",
        8,
        {"opening": poll("large", limit=100, wait_seconds=5), "again": always},
        large_tasks("large"),
    ),
    "large-finishes": Attack(
        "finish tasks of 250 kB, all at a time, by leases that are none",
        8,
        {"again": always},
        large_tasks("large"),
        of_tasks=finish,
    ),
    "readiness": Attack(
        "ask whether all is well, with no token",
        1000,
        {"opening": request("GET", "/readyz"), "again": always},
    ),
    "names": Attack(
        "ask whether it lives, with 60 kB of names",
        20,
        {"opening": request("GET", f"/healthz?{names(12_000)}"), "again": always},
    ),
    "percents": Attack(
        "ask for a path of 60 kB of percent signs",
        20,
        {"opening": request("GET", "/tasks/" + "%41" * 20_000), "again": always},
    ),
    "documents": Attack(
        "ask for the API's document",
        200,
        {"opening": request("GET", "/openapi.json"), "again": always},
    ),
    "pages": Attack(
        "ask for the page that shows it, and its script",
        100,
        {
            "opening": request("GET", "/docs") + request("GET", "/swagger/swagger-ui-bundle.js"),
            "again": always,
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
            "again": always,
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
        {"opening": poll("nothing", padded=1_000_000), "again": always},
    ),
    "waiting-finishes": Attack(
        "finish with 15 MB of results, by leases that are none, and wait for work",
        20,
        {"opening": finish_and_poll(250_000), "again": always},
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
        large_tasks(NOBODYS),
    ),
    "untaken-claims": Attack(
        "claim a hundred tasks of 250 kB, and take none of them",
        100,
        {"opening": poll(NOBODYS, limit=100, wait_seconds=0), "reads": False},
        large_tasks(NOBODYS),
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
    **WORK,
}
