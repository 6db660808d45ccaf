"""A browser on the server's machine comes through where programs do, and does what any page that
it shows may want: without tokens, it is told apart."""

import base64
import hashlib
import re

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.http import auth
from app.settings import Settings
from tests.conftest import serving
from tests.support.calls import problem
from tests.support.factories import TaskFactory
from tests.support.routes import Call, calls
from tests.support.stored import everything_stored

OURS = "127.0.0.1:8000"
# What a form can be sent with, and no page has to ask for: the rest needs leave that nobody gives.
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FOREIGN = [
    {"Host": OURS, "Origin": "http://evil.example"},
    {"Host": OURS, "Origin": "https://evil.example:8000"},
    {"Host": OURS, "Origin": "http://127.0.0.1:3000"},
    {"Host": OURS, "Origin": "http://127.0.0.1"},
    {"Host": OURS, "Origin": "null"},
    {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"},  # its name leads here now
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:8000"},
    {"Host": "evil.example:127.0.0.1"},
    {"Host": "localhost.evil.example"},
    {"Host": "evil"},
]
OWN = [
    {"Host": OURS, "Origin": f"http://{OURS}"},
    {"Host": "localhost:8000", "Origin": "http://localhost:8000"},
    *({"Host": host} for host in ("localhost", "LocalHost:9", "rowlock.localhost", "[::1]:8000")),
    *({"Host": host} for host in ("127.0.0.1", "10.0.0.9:80", "[fd00::1]", "")),
]
FORWARDED = [
    *("Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host"),
    *("X-Forwarded-Proto", "x-forwarded-prefix", "X-Forwarded-Anything"),
]
DOORED = [call for call in calls() if call.template not in ("/healthz", "/readyz")]


@pytest.mark.parametrize("call", DOORED, ids=str)
async def test_without_tokens_no_page_of_another_site_comes_in(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    TaskFactory(id=1)
    before = everything_stored(engine)
    for headers in FOREIGN:
        problem(await call.send(api, headers=headers), 403)
        problem(await call.send(api, headers=headers | FORM), 403)
    assert everything_stored(engine) == before
    for headers in OWN:
        assert (await call.send(api, headers=headers)).status_code != 403, headers


@pytest.mark.parametrize("call", DOORED, ids=str)
async def test_without_tokens_no_proxy_passes_anything_on(
    api: httpx.AsyncClient, session: Session, engine: Engine, call: Call
) -> None:
    """It is on this machine too, and whoever reaches it need not be."""
    TaskFactory(id=1)
    before = everything_stored(engine)
    for header in FORWARDED:
        found = problem(await call.send(api, headers={"Host": OURS, header: "192.0.2.7"}), 403)
        assert "proxy" in found.detail
    assert everything_stored(engine) == before


async def test_with_tokens_they_alone_count(settings: Settings) -> None:
    """A page has none; behind a proxy the server may have any name."""
    guarded = settings.model_copy(update={"client_tokens": ("secret",)})
    async with serving(guarded) as api:
        forwarded = [{"Host": OURS, header: "192.0.2.7"} for header in FORWARDED]
        for headers in (*FOREIGN, *OWN, *forwarded):
            problem(await api.get("/tasks", headers=headers), 401)
            token = {"Authorization": "Bearer secret"}
            assert (await api.get("/tasks", headers=headers | token)).status_code == 200


async def test_figures_that_need_no_token_on_this_machine_are_not_for_pages(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "GUESS_SECONDS", 0.0)
    guarded = settings.model_copy(update={"client_tokens": ("secret",)})
    async with serving(guarded) as api:
        for headers in FOREIGN:
            problem(await api.get("/metrics", headers=headers), 401)
            token = {"Authorization": "Bearer secret"}
            assert (await api.get("/metrics", headers=headers | token)).status_code == 200
        for headers in OWN:
            assert (await api.get("/metrics", headers=headers)).status_code == 200


async def test_no_page_is_asked_to_share_what_it_is_told(api: httpx.AsyncClient) -> None:
    asked = {"Host": OURS, "Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/tasks", "/tags", "/docs", "/openapi.json"):
        for answer in (await api.options(path, headers=asked), await api.get(path, headers=asked)):
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_manual_runs_its_own_scripts_alone_and_in_no_frame(
    api: httpx.AsyncClient,
) -> None:
    page = await api.get("/docs")
    policy = dict(
        part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";")
    )
    (inline,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "persistAuthorization" not in page.text
