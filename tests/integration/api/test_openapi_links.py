"""The links in `/openapi.json`: each leads from what was answered to a call that takes it."""

from typing import Any, NamedTuple

import httpx

from tests.support.calls import submit


class Operation(NamedTuple):
    """One call, as the document has it."""

    method: str
    path: str
    said: dict[str, Any]


def valued(said: Any, answer: httpx.Response) -> Any:
    """`said`, with each `$response.body#/…` in it replaced by what the answer has there."""
    if isinstance(said, dict):
        return {name: valued(part, answer) for name, part in said.items()}
    if isinstance(said, list):
        return [valued(part, answer) for part in said]
    before, _, pointer = said.partition("$response.body#/")
    if before:
        return said
    found = answer.json()
    for part in pointer.split("/"):
        found = found[int(part) if isinstance(found, list) else part]
    return found


async def test_each_leads_to_a_call_that_takes_what_was_answered(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    operations = {
        said["operationId"]: Operation(method.upper(), path, said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }
    bodies: dict[str, Any] = {
        "submit": {"title": "x"},
        "submit_batch": {"tasks": [{"title": "x"}]},
        "list_tasks": None,
        "claim": {"worker": "w"},
        "finish": {"items": [], "claim": {"worker": "w"}},
    }
    linked = [
        (name, status, link)
        for name, operation in operations.items()
        for status, answer in operation.said["responses"].items()
        for link in answer.get("links", {}).values()
    ]
    assert {name for name, _, _ in linked} == bodies.keys()
    assert len(linked) == 5 * 6 + 2 * 5

    for number, (name, status, link) in enumerate(linked):
        operation, target = operations[name], operations[link["operationId"]]
        await submit(api)  # so that there is something to list, and to claim
        headers = {"Idempotency-Key": f"key-{number}"} if name.startswith("submit") else None
        for _ in range(2 if headers and status == "200" else 1):
            answer = await api.request(
                operation.method, operation.path, json=bodies[name], headers=headers
            )
        assert str(answer.status_code) == status

        path = target.path.format(action="cancel", **valued(link.get("parameters", {}), answer))
        body = {"title": "y"} if target.method == "PATCH" else link.get("requestBody")
        followed = await api.request(
            target.method, path, json=valued(body, answer) if body else None
        )
        assert followed.is_success, f"{name} {status} {link}: {followed.text}"
        assert '"status":40' not in followed.text
