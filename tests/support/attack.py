"""A call with one place of it free for whatever is to be put there."""

import re
from collections.abc import Sequence
from typing import Any, Final

import httpx

from tests.support.calls import Document, claim
from tests.support.hostile import FORMS, Place, contains, put_in, quoted, raw, schema_of, written
from tests.support.routes import PARAMS, Call

LONGEST = 5000  # in a request's head
JSON = (b"Content-Type", b"application/json")
# The way to end an attempt that a field is for.
OUTCOMES: Final = {"result": "complete", "reason": "release", "delay_seconds": "release"}


class Attack:
    """Sends a call as the document's example has it, but for one place."""

    def __init__(self, api: httpx.AsyncClient, document: Document, call: Call) -> None:
        self._api = api
        self._call = call
        schema = schema_of(document, call.method, call.template)
        self._body: Any = None if schema is None else schema["examples"][0]

    async def targets(self, count: int) -> Sequence[Document]:
        """So many tasks to do it to; held by leases if it needs them."""
        if not re.search("{task_id}|/leases", self._call.template):
            return [{"task": {"id": 1}, "lease_id": "none"}] * count
        tasks = [{"title": "x"}] * count
        made = await self._api.post("/tasks/batch", json={"tasks": tasks})
        if "/leases/" not in self._call.template:
            return [{"task": task, "lease_id": "none"} for task in made.json()]
        leases: list[Document] = []
        while len(leases) < count:
            leases += await claim(self._api, limit=100)
        await self._api.post("/tasks/batch", json={"tasks": tasks})  # for what claims besides
        return leases[:count]

    async def send(self, place: Place, text: str, target: Document) -> httpx.Response:
        """The call on this target, with the text in this place."""
        parts = {
            **{"task_id": str(target["task"]["id"]), "lease_id": target["lease_id"]},
            **{"name": "default", "action": "cancel", "worker": "host-1"},
            "group": "customer-17",
        }
        query, headers, content = "", [], None
        if self._body is not None:
            content, headers = written(self._body_for(place, text, target)), [JSON]
        if place.where == "path":
            parts[place.name] = quoted(text[:LONGEST])
        elif place.where == "query":
            others = PARAMS.get(str(self._call), {}).items()
            values = [(place.name, text[:LONGEST]), *(o for o in others if o[0] != place.name)]
            query = "?" + "&".join(f"{name}={quoted(value)}" for name, value in values)
        elif place.where == "header":
            headers = [*headers, (place.name.encode(), raw(text[:LONGEST]))]
        path = re.sub(r"\{(\w+)\}", lambda part: parts[part[1]], self._call.template)
        return await self._api.request(
            self._call.method, f"{path}{query}", content=content, headers=headers
        )

    async def assert_kept(
        self, text: str, target: Document, answer: httpx.Response, why: str
    ) -> None:
        """What was taken is shown, to the letter: at once, or by the task when it is read."""
        if not contains(answer.json(), text):
            task = f"/tasks/{target['task']['id']}"
            paths = [task, f"{task}/attempts", *map("/tasks/{}".format, _submitted(answer.json()))]
            documents = [(await self._api.get(path)).json() for path in paths]
            assert contains(documents, text), why

    def _body_for(self, place: Place, text: str, target: Document) -> Any:
        body: Document = dict(self._body)
        if "claim" in body:
            outcome = OUTCOMES.get(place.name.rpartition(".")[2], "fail")
            item: Document = {"lease_id": target["lease_id"], "outcome": outcome}
            if ".submit." in place.name:
                item["submit"] = [{"title": "x"}]
            body["items"] = [item]
            body["claim"] = body["claim"] | {"wait_seconds": 0, "limit": 1}
        elif "items" in body:
            body["items"] = [body["items"][0] | {"lease_id": target["lease_id"]}]
        elif place.name.startswith("submit."):
            body["submit"] = [{"title": "x"}]
        elif "wait_seconds" in body:
            body |= {"wait_seconds": 0, "limit": 1}
        return put_in(body, place.name, FORMS[place.form](text)) if place.where == "body" else body


def _submitted(document: Any) -> list[int]:
    """The tasks that an end, or the only one of several, has stored."""
    (end,) = document.get("items") or [document]
    return list(end.get("submitted", ()))
