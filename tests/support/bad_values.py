"""Values that no field of a kind takes, and bodies with them in, written out as JSON."""

import json
from typing import Any, NamedTuple

MISSING = object()


class Raw(NamedTuple):
    """JSON text that no Python value is written as."""

    text: str


INFINITY = Raw("1e999")
SURROGATE = "\ud800"

_NOT_TEXT: list[Any] = [0, 1.5, True, ["a"], {"a": "b"}, INFINITY]
_BAD_TEXT: list[Any] = [*_NOT_TEXT, "a\0b", f"a{SURROGATE}b"]
_NOT_NUMBER: list[Any] = ["1", "", True, False, [1], {}, INFINITY, Raw("-1e999"), Raw("NaN")]
_NO_TIME: list[Any] = [
    *_BAD_TEXT,
    *("", "now", "tomorrow", "2026", "2026-01-31", "08:00:00Z", "20260131T080000Z"),
    *("2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T08:60:00Z"),
    *("2026-01-31T08:00:00+24:00", "2026-01-31T08:00:00 UTC", "2026-01-31T08:00:00ZZ"),
    *("0999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "1000-01-01T00:00:00+00:01"),
    *("0001-01-01T00:00:00+00:01", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01"),
    *("-2026-01-31T08:00:00Z", "２０２６-01-31T08:00:00Z", "2026-01-31T08:00:00Z\n"),
    *(1_769_846_400, 1_769_846_400.5),
]
_NO_JSON: list[Any] = [
    *("x" * (256 * 1024 - 1), "高" * 87_381, ["x" * 1024] * 256),
    *(INFINITY, [Raw("-1e999")], {"a": {"b": [INFINITY]}}, [Raw("Infinity")]),
    *(Raw("NaN"), {"a": [Raw("NaN")]}),
    *(SURROGATE, ["ok", {"a": SURROGATE}], {SURROGATE: 1}, {"a": {"\udfff": 1}}),
]


def _whole_number(low: int, high: int) -> list[Any]:
    beyond = [low - 1, high + 1, 2**63, -(2**63) - 1, 10**40]
    return [*beyond, *_NOT_NUMBER, low + 0.5, float(low - 1), 1e300]


# What each kind of field refuses, null apart.
BAD: dict[str, list[Any]] = {
    "title": [*_BAD_TEXT, "", " \t\n", "x" * 256, "😀" * 256],
    "worker": [*_BAD_TEXT, "", "  ", "x" * 256],
    "long text": [*_BAD_TEXT, "x" * 65_536, "高" * 21_846],
    "priority": [*_BAD_TEXT, "", "urgent", "HIGH", "高高", " 高"],
    "tags": [
        *(0, True, "a", {"a": 1}, ["a", 1], [None], [["a"]], [True]),
        *([""], ["  "], ["x" * 65], ["a\0"], [SURROGATE], [str(n) for n in range(33)]),
    ],
    "time": _NO_TIME,
    "timeout": _whole_number(1, 2_592_000),
    "retry limit": _whole_number(0, 100),
    "delay": _whole_number(0, 86_400),
    "backoff": [*_BAD_TEXT, "", "quadratic", "Fixed"],
    "queue": [*_BAD_TEXT, "", "A", "a b", " a", "a\n", "é", "队列", "a/b", "x" * 65],
    "queues": [0, "default", {}, [], ["a"] * 65, ["A"], [""], ["a", None], [1], ["a\0"]],
    "json": _NO_JSON,
    "lease id": [
        *_BAD_TEXT,
        *("", "1", ".", "1.", f".{'0' * 32}", f"0.{'0' * 32}", f"-1.{'0' * 32}", f"1.{'0' * 31}"),
        *(f"1.{'0' * 33}", f"1.{'g' * 32}", f"1.{'A' * 32}", f"01.{'0' * 32}", f"1.{'0' * 32}\n"),
        *(f"{2**63}.{'0' * 32}", f"{'9' * 40}.{'0' * 32}", f"１.{'0' * 32}"),
    ],
    "outcome": [*_BAD_TEXT, "", "done", "Complete"],
    "flag": [0, 1, "true", "", [], {}, 1.0],
    "claim limit": _whole_number(1, 100),
    "lease seconds": _whole_number(5, 3600),
    "age": _whole_number(1, 31_536_000),
    # 中 has 600 seconds.
    "age of 低": [*_whole_number(1, 31_536_000), 1, 599],
    "wait": [-1, -0.001, 30.001, 31, 10**40, *_NOT_NUMBER],
    "cron": [
        *_BAD_TEXT,
        *("", " ", "* * * *", "* * * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *"),
        *("* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "@reboot"),
        *("@HOURLY!", "0 0 30 2 *", "١ * * * *", "* * * * *\n* * * * *", "1," * 127 + "1 * * * *"),
    ],
    "interval": _whole_number(1, 31_536_000),
    "timezone": [
        *_BAD_TEXT,
        *("", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "localtime", "x" * 65),
        *("Europe/Berlin ", "europe/../UTC", "欧洲/柏林"),
    ],
    "catch up": [*_BAD_TEXT, "", "some", "ONE"],
    "overlap": [*_BAD_TEXT, "", "queue_two", "Skip"],
    "jitter": [*_whole_number(0, 86_400), 3600],
    "list": [0, True, "a", {}, [1], ["a"], [None], [[]]],
    "object": [0, True, "a", [], [{}]],
    "ids": [
        *(0, True, "1", {}, [0], [-1], [1.5], ["1"], [None], [True], [[1]], [2**63], [10**40]),
        *([INFINITY], [1, 0], [*range(1, 1002)]),
    ],
    "ids or refs": [
        *(0, True, "a", {}, [0], [-1], [1.5], [""], [None], [True], [["a"]], [2**63], [10**40]),
        *([INFINITY], ["a\0"], [SURROGATE], ["x" * 65], ["none"], [*range(1, 1002)]),
    ],
    "few ids": [0, "1", {}, [0], ["a"], [None], [[1]], [2**63], [*range(1, 18)]],
    "ref": [*_BAD_TEXT, "", "x" * 65],
    "parent failure": [*_BAD_TEXT, "", "skip", "Cancel", "run", "cancel"],
    "group": [*_BAD_TEXT, "", "x" * 129, "😀" * 129],
    "running": _whole_number(1, 100_000),
    "weight": _whole_number(1, 100),
    "seconds of a rate": _whole_number(1, 86_400),
    "truth": [0, 1, "true", "", [], {}],
    "unique": [
        *(0, True, "a", [], [{}], {}, {"keys": "k"}, {"key": "k", "else": 1}),
        *({"key": key} for key in (*_BAD_TEXT, None, "", "x" * 129, "😀" * 129)),
        *({"key": "k", "while": hold} for hold in (*_BAD_TEXT, None, "", "Waiting", "running")),
        *({"key": "k", "conflict": way} for way in (*_BAD_TEXT, "", "skip")),
        *({"key": "k", "debounce_seconds": n} for n in _whole_number(1, 86_400)),
        *(
            {"key": "k", "debounce_seconds": 1, "debounce_limit_seconds": n}
            for n in _whole_number(1, 864_000)
        ),
    ],
}

NULLABLE = frozenset(
    {"description", "due_date", "available_at", "error", "retry_after_seconds", "lease_seconds"}
    | {"payload", "result", "progress", "claim", "delay_seconds", "reason"}
    | {"interval_seconds", "starts_at", "ends_at"}
    | {"ageing_seconds", "中", "低", "unique", "on_parent_failure", "ref"}
    | {"group", "running", "running_per_group", "weight"}
    | {"rate", "rate_per_group", "burst"}
)


def put(body: Any, path: str, value: Any) -> Any:
    """`body` with `value` at `path`, such as `tasks.3.title`."""
    first, _, rest = path.partition(".")
    key: Any = int(first) if isinstance(body, list) else first
    copy: Any = list(body) if isinstance(body, list) else dict(body)
    if rest:
        copy[key] = put(copy[key], rest, value)
    elif value is MISSING:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy


def written(value: Any) -> bytes:
    """As JSON text in ASCII; `Raw` stands for itself."""
    if isinstance(value, Raw):
        return value.text.encode()
    if isinstance(value, dict):
        items = (json.dumps(key).encode() + b":" + written(v) for key, v in value.items())
        return b"{" + b",".join(items) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(written, value)) + b"]"
    return json.dumps(value).encode()
