"""Links in the OpenAPI document: the calls that an answer leads on to."""

from collections.abc import Iterable
from typing import Any, Final

_OF_A_TASK: Final = ("get", "patch", "delete", "attempts", "why", "intervene")
_OF_A_LEASE: Final = ("heartbeat", "complete", "fail", "release")


def task_links(pointer: str = "") -> dict[str, Any]:
    """For OpenAPI: what can be done with the task at `pointer` in the answer."""
    return _links(_OF_A_TASK, task_id=f"$response.body#{pointer}/id")


def lease_links(pointer: str) -> dict[str, Any]:
    """For OpenAPI: what can be done with the lease at `pointer` in the answer."""
    lease_id = f"$response.body#{pointer}/lease_id"
    links = _links(_OF_A_LEASE, lease_id=lease_id)
    items = [{"lease_id": lease_id, "outcome": "complete"}]
    links["links"]["finish"] = {"operationId": "finish", "requestBody": {"items": items}}
    return links


def _links(operations: Iterable[str], **parameters: str) -> dict[str, Any]:
    return {"links": {name: {"operationId": name, "parameters": parameters} for name in operations}}
