"""Strings that mean harm to somebody behind the API, and every place in which a call takes one:
from the OpenAPI document, so that a new field is among them."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from tests.support.calls import Document

# None is longer than a tag may be.
_STRINGS: Final = (
    # SQL, and what drivers and LIKE make of it
    *("'", '"', "`", "\\", "'\\", "' OR '1'='1", "'; DROP TABLE tasks; -- ", "x'/* */ OR 1=1 #"),
    *("' UNION SELECT lease_token FROM tasks #", "1 OR SLEEP(9)", "%", "_", "%s %(id)s :id ? @@x"),
    *("\x1a\\'", "＇ OR 1=1", "\xbf\\' OR 1=1 #"),
    # templates, shells, pages, spreadsheets
    *(
        "{} {task_id} {0.__class__.__mro__} {{7*7}} %d%n",
        "${HOME} $(id) `id` ; id",
        "=cmd|' /C x'!A0",
    ),
    *("<script>alert(1)</script>",),
    # paths, queries, keys
    *("../../etc/passwd", "..", "a:b", "rowlock:task:1", "a?b#c", "a%2Fb", "a&limit=1", "a,b"),
    # headers, lines, terminals
    *("a\r\nX-Evil: 1", "a\nb", ">; rel=next, <x", "\x1b[31mred\x1b]0;x\x07", "\x9b31m\x7f\x08"),
    *("a\tb\x85c\u2028d\u202ee",),
    # letters that are not what they seem
    *("\ufeffa\u200b", "\uffff\U0010ffff", "e\u0301 İ ß", "\U0001f469\u200d\U0001f680"),
)
# Spaces at the ends are taken off some fields.
STRINGS: Final = tuple(text if text == text.strip() else f"a{text}z" for text in _STRINGS)
# No text, or too much of it: bytes that are not UTF-8 stand as surrogates.
NO_TEXT: Final = ("a\0b", "\ud800", "a\udcbf\\'", "\udcc0\udca7", "é" * 140_000)
HOSTILE: Final = STRINGS + NO_TEXT

# How a text may stand in any JSON.
FORMS: Final[dict[str, Callable[[str], Any]]] = {
    "": lambda text: text,
    " as a key": lambda text: {text: 1},
    " deep inside": lambda text: [{"a": [text]}],
}


class Place(NamedTuple):
    """Somewhere in a call: a field of its body, or a parameter."""

    where: str
    name: str
    form: str = ""

    def __str__(self) -> str:
        return f"{self.where} {self.name}{self.form}"


def places_of(document: Document, method: str, template: str) -> Iterator[Place]:
    """Every place of a call."""
    for parameter in document["paths"][template][method.lower()].get("parameters", ()):
        yield Place(parameter["in"], parameter["name"])
    schema = schema_of(document, method, template)
    if schema is not None:
        yield from _places_in(document, schema, "")


def schema_of(document: Document, method: str, template: str) -> Document | None:
    """The schema of a call's body, if it takes one."""
    operation = document["paths"][template][method.lower()]
    if "requestBody" not in operation:
        return None
    return _named(document, operation["requestBody"]["content"]["application/json"]["schema"])


def _places_in(document: Document, schema: Document, path: str) -> Iterator[Place]:
    if "$ref" in schema:
        schema = _named(document, schema)
    if "anyOf" in schema:
        for branch in schema["anyOf"]:
            yield from _places_in(document, branch, path)
    elif schema.get("type") == "object":
        for name, field in schema["properties"].items():
            yield from _places_in(document, field, f"{path}.{name}".lstrip("."))
    elif schema.get("type") == "array":
        yield from _places_in(document, schema["items"], f"{path}.0")
    elif schema.get("type") != "null":
        is_any = not schema.keys() & {"type", "enum", "const"}
        yield from (Place("body", path, form) for form in (FORMS if is_any else ("",)))


def _named(document: Document, schema: Document) -> Document:
    return dict(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])


def put_in(body: Any, path: str, value: Any) -> Any:
    """`body` with `value` at `path`, such as `tags.0`, whatever was there."""
    first, _, rest = path.partition(".")
    if not first.isdecimal():
        items = dict(body or {})
        items[first] = put_in(items.get(first), rest, value) if rest else value
        return items
    (old, *others) = body or [None]
    return [put_in(old, rest, value) if rest else value, *others]


def raw(text: str) -> bytes:
    """As bytes, which are no UTF-8 where `text` is none."""
    is_bytes = any("\udc80" <= char <= "\udcff" for char in text)
    return text.encode("utf-8", "surrogateescape" if is_bytes else "surrogatepass")


def quoted(text: str) -> str:
    """For a path or a query."""
    return quote(raw(text), safe="").replace("..", "%2E%2E")


def written(body: Any) -> bytes:
    """As JSON, in the bytes themselves."""
    return raw(json.dumps(body, ensure_ascii=False))


def contains(found: Any, text: str) -> bool:
    """Whether the text, the whole of it, is a value or a key anywhere in a document."""
    if isinstance(found, dict):
        return any(key == text or contains(value, text) for key, value in found.items())
    if isinstance(found, list):
        return any(contains(item, text) for item in found)
    return bool(found == text)
