"""Bodies that are no JSON object, not declared as JSON, cut off or too large."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from tests.support.calls import NO_LEASE, claim_one, get, problem, submit
from tests.support.stored import everything_stored

JSON = {"Content-Type": "application/json"}
MIB = 1024 * 1024
WITH_BODY = [
    ("POST", "/tasks"),
    ("POST", "/tasks/batch"),
    ("PATCH", "/tasks/1"),
    ("PUT", "/schedules/x"),
    ("POST", "/schedules/x/backfill"),
    ("POST", "/leases"),
    ("POST", "/leases/finish"),
    ("POST", f"/leases/{NO_LEASE}/heartbeat"),
    ("POST", f"/leases/{NO_LEASE}/complete"),
    ("POST", f"/leases/{NO_LEASE}/fail"),
    ("POST", f"/leases/{NO_LEASE}/release"),
    ("PUT", "/admin/queues/default/settings"),
]
MAY_BE_EMPTY = ("/heartbeat", "/complete", "/fail", "/release")
WITHOUT_BODY = [
    ("POST", "/admin/tasks/1/cancel"),
    ("POST", "/admin/tasks/cancel?status=to_do"),
    ("POST", "/admin/queues/default/pause"),
    ("POST", "/admin/queues/default/resume"),
    ("POST", "/schedules/x/run"),
    ("POST", "/admin/schedules/x/pause"),
    ("POST", "/admin/schedules/x/resume"),
]
LARGE = ("/tasks/batch", "/leases/finish")


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
async def test_a_body_that_is_not_json_is_refused(
    api: httpx.AsyncClient, engine: Engine, method: str, path: str
) -> None:
    broken = [
        *(b"{", b"}", b"{'title': 'x'}", b'{"title": "x",}', b'{"title": x}', b"title=x", b"\x00"),
        *(b'{"title": "x"} x', b'{"title": "a\x00b"}', b'{"title": "a\nb"}', b"\xef\xbb{}"),
        *(b"\xef\xbb\xbf\xef\xbb\xbf{}", b' \xef\xbb\xbf{"title": "x"}'),
        *(b'{"title": "\xff"}', b'{"title": "\xc3"}', b"nan"),
        *('{"title": "x"}'.encode("utf-16"), '{"title": "x"}'.encode("utf-32"), b"\x1f\x8b\x08"),
        *(b"[" * 100_000, b'{"payload":' * 50_000, b'{"title": ' + b"9" * 100_000 + b"}"),
        b'{"payload": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    ]
    if not path.endswith(MAY_BE_EMPTY):
        broken += [b""]
    for body in broken:
        answer = await api.request(method, path, content=body, headers=JSON)
        found = problem(answer, 400, "body")
        assert found.title == "Not JSON", body[:40]
    assert not any(everything_stored(engine).values())


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
async def test_a_byte_order_mark_before_a_body_is_none_of_it(
    api: httpx.AsyncClient, method: str, path: str
) -> None:
    mark = "\ufeff".encode()
    for body in (b'{"title": "x"}', b"{}", b'{"unknown": 1}'):
        plain = await api.request(method, path, content=body, headers=JSON)
        marked = await api.request(method, path, content=mark + body, headers=JSON)
        assert marked.status_code == plain.status_code
        if not plain.is_success:
            assert marked.json() == plain.json()


async def test_a_surrogate_spelt_in_bytes_is_its_fields_fault(api: httpx.AsyncClient) -> None:
    answer = await api.post("/tasks", content=b'{"title": "\xed\xa0\x80"}', headers=JSON)
    problem(answer, 422, "title")


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
async def test_json_that_is_no_object_is_refused(
    api: httpx.AsyncClient, method: str, path: str
) -> None:
    for body in (b"null", b"[]", b'[{"title": "x"}]', b'"x"', b"1", b"true", b'"\\ud800"'):
        problem(await api.request(method, path, content=body, headers=JSON), 422, "body")


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
async def test_a_body_has_to_be_declared_as_json(
    api: httpx.AsyncClient, engine: Engine, method: str, path: str
) -> None:
    kinds = ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"]
    kinds += ["application/merge-patch+json"] if method != "PATCH" else []
    kinds += ["multipart/form-data; boundary=application/json", "text/json", "*/*", "é"]
    for kind in kinds:
        headers = {b"Content-Type": kind.encode()} if kind else {}
        answer = await api.request(method, path, content=b'{"title": "x"}', headers=headers)
        problem(answer, 415, "Content-Type")
    assert not any(everything_stored(engine).values())


async def test_parameters_and_case_of_the_media_type_do_not_matter(api: httpx.AsyncClient) -> None:
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;"):
        answer = await api.post("/tasks", content=b'{"title": "x"}', headers={"Content-Type": kind})
        assert answer.status_code == 201


@pytest.mark.parametrize(("method", "path"), WITHOUT_BODY)
async def test_a_call_that_takes_no_body_names_what_it_was_sent(
    api: httpx.AsyncClient, engine: Engine, method: str, path: str
) -> None:
    await submit(api)
    before = everything_stored(engine)
    answer = await api.request(method, path, json={"reason": "because"})
    problem(answer, 422, "reason")
    assert everything_stored(engine) == before
    for nothing in (b"", b"{}"):
        answer = await api.request(method, path, content=nothing, headers=JSON)
        assert answer.status_code in (200, 404)


@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize(("method", "path"), [*WITH_BODY, *WITHOUT_BODY])
async def test_a_body_has_its_limit_to_the_byte(
    api: httpx.AsyncClient, engine: Engine, method: str, path: str, is_chunked: bool
) -> None:
    limit = 16 * MIB if path in LARGE else MIB

    async def size(count: int) -> httpx.Response:
        body = b'{"nonsense":1' + b" " * (count - 14) + b"}"
        content = _in_chunks(body) if is_chunked else body
        return await api.request(method, path, content=content, headers=JSON)

    problem(await size(limit), 422, "nonsense")
    found = problem(await size(limit + 1), 413, "body")
    assert f"{limit:,}" in found.detail
    assert not any(everything_stored(engine).values())


async def test_a_body_of_more_than_a_mebibyte_is_for_many_tasks(api: httpx.AsyncClient) -> None:
    payload = "x" * (250 * 1024)
    tasks = [{"title": "x", "payload": payload}] * 60
    answer = await api.post("/tasks/batch", json={"tasks": tasks})
    assert answer.status_code == 201

    claims = [await api.post("/leases", json={"worker": "w", "limit": 60}) for _ in range(2)]
    leases = [lease for claim in claims for lease in claim.json()]
    items = [
        {"lease_id": lease["lease_id"], "outcome": "complete", "result": lease["task"]["payload"]}
        for lease in leases
    ]
    answer = await api.post("/leases/finish", json={"items": items})
    assert len(answer.request.content) > 14 * MIB
    assert {item["status"] for item in answer.json()["items"]} == {200}
    assert (await get(api, leases[59]["task"]["id"]))["result"] == payload


@pytest.mark.parametrize("declared", ["x", "-1", "²", "99999999999999999999", "1 000"])
async def test_a_length_that_is_none_does_no_harm(api: httpx.AsyncClient, declared: str) -> None:
    headers = {b"Content-Type": b"application/json", b"Content-Length": declared.encode("latin-1")}
    answer = await api.post("/tasks", content=_in_chunks(b'{"title": "x"}'), headers=headers)
    assert answer.status_code in (201, 400, 413)


@pytest.mark.parametrize("received", [[], [b'{"result": "ha']], ids=["nothing", "half"])
async def test_a_caller_that_hangs_up_before_its_body_is_there_has_said_nothing(
    api: httpx.AsyncClient, received: list[bytes]
) -> None:
    """A worker killed while it sends: an empty body would mean that its task is done."""
    await submit(api)
    lease = await claim_one(api)
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in received
    ]
    messages.append({"type": "http.disconnect"})
    await _call(api, f"/leases/{lease['lease_id']}/complete", messages)
    assert (await get(api, lease["task"]["id"]))["status"] == "in_progress"


async def test_a_nested_payload_is_kept_up_to_a_depth(api: httpx.AsyncClient) -> None:
    payload: Any = 1
    for _ in range(150):
        payload = [payload]
    task = await submit(api, payload=payload)
    assert (await get(api, task["id"]))["payload"] == payload


async def test_one_bad_call_does_not_fail_its_neighbours(api: httpx.AsyncClient) -> None:
    bodies = [json.dumps({"title": f"task {n}"}).encode() for n in range(20)] + [b"{"] * 20
    answers = await asyncio.gather(
        *(api.post("/tasks", content=body, headers=JSON) for body in bodies)
    )
    assert [a.status_code for a in answers] == [201] * 20 + [400] * 20


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


async def _call(api: httpx.AsyncClient, path: str, messages: list[dict[str, Any]]) -> None:
    """One request as the server would bring it, from a caller that httpx cannot be."""
    transport = api._transport
    assert isinstance(transport, httpx.ASGITransport)
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")],
        "client": ("127.0.0.1", 1),
        "app": transport.app,
    }
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    async def send(_message: Any) -> None:
        pass

    await transport.app(scope, receive, send)
