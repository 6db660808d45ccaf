"""`/ui/`: the page for operators is whole, and so is the policy under which it runs."""

import gzip
import re

import httpx
import pytest

from app.api.page import FILES
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
TYPES = {
    "": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    **dict.fromkeys(
        ("vendor.js", "chunk.js", "others.js", "uplot.js", "en.js", "zh.js"),
        "text/javascript; charset=utf-8",
    ),
    "app.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
LARGEST_BYTES = 60_000


@pytest.mark.parametrize("name", TYPES)
async def test_each_file_comes_under_the_policy(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.get(f"/ui/{name}")
    assert answer.status_code == 200
    assert answer.content == (FILES / (name or "index.html")).read_bytes()
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == TYPES[name]


@pytest.mark.parametrize("name", TYPES)
async def test_what_a_browser_has_is_not_sent_again(api: httpx.AsyncClient, name: str) -> None:
    first = await api.get(f"/ui/{name}")
    assert first.headers["cache-control"] == "no-cache"
    again = await api.get(f"/ui/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    for named in ("*", f'W/"another", {first.headers["etag"]}'):
        assert (await api.get(f"/ui/{name}", headers={"If-None-Match": named})).status_code == 304
    changed = await api.get(f"/ui/{name}", headers={"If-None-Match": 'W/"another"'})
    assert changed.status_code == 200


async def test_it_is_sent_zipped_to_those_who_take_that(api: httpx.AsyncClient) -> None:
    plain = await api.get("/ui/app.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    zipped = await api.get("/ui/app.js", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) < len(plain.content) / 2
    assert zipped.content == plain.content
    assert zipped.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "is_zipped"),
    [
        *(("gzip;q=0", False), ("gzip; q=0.000, br", False), ("br", False), ("*;q=0", False)),
        *(("gzip;q=0, *", False), ("", False)),
        *(("br, GZIP;q=0.1", True), ("*", True), ("deflate, gzip", True)),
    ],
)
async def test_a_refusal_of_gzip_is_heard(
    api: httpx.AsyncClient, accepted: str, is_zipped: bool
) -> None:
    answer = await api.get("/ui/app.css", headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in answer.headers) == is_zipped


async def test_a_browser_is_led_to_it_by_relative_addresses(api: httpx.AsyncClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/", "/ui"):
        answer = await api.get(path, headers=browser)
        assert (answer.status_code, answer.headers["location"]) == (307, "ui/")
    problem(await api.get("/", headers={"Accept": "*/*"}), 404)
    page = (await api.get("/ui/")).text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) == 5
    assert not [address for address in addresses if address.startswith(("/", "http"))]
    assert "style" not in re.sub(r'rel="stylesheet"', "", page)
    assert not re.search(r"<script[^>]*>[^<]", page)


OTHERS = (
    *("index.js", "..%2f__init__.py", "%2e%2e/settings.py", "%2e%2e%2fsettings.py", "/etc/passwd"),
    *("app.js/", "%00", "app%2ejs%20", "app.css%00.js"),
)


@pytest.mark.parametrize("path", OTHERS)
async def test_there_is_nothing_else(api: httpx.AsyncClient, path: str) -> None:
    problem(await api.get(f"/ui/{path}"), 404)


async def test_it_can_only_be_read(api: httpx.AsyncClient) -> None:
    head = await api.head("/ui/app.js")
    assert head.status_code == 200
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert (await api.request(method, "/ui/")).status_code == 405


async def test_it_can_be_turned_off(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"ui": "off"})) as api:
        for path in ("/", "/ui", "/ui/", "/ui/app.js"):
            problem(await api.get(path, headers={"Accept": "text/html"}), 404)
        assert (await api.get("/docs")).status_code == 200


async def test_it_needs_no_token(settings: Settings) -> None:
    async with serving(settings.model_copy(update={"client_tokens": ("secret",)})) as api:
        assert (await api.get("/ui/")).status_code == 200


def test_it_is_small() -> None:
    # A browser loads one language first, and the other pages once the first is there.
    later = {"zh.js", "uplot.js", "others.js"}
    first = [file for file in FILES.iterdir() if file.name not in later]
    assert sum(len(gzip.compress(file.read_bytes())) for file in first) < LARGEST_BYTES
