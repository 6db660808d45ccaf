"""Every call there is, taken from the router itself, with something to put in its path."""

import re
from typing import Any, Final, NamedTuple

import httpx

from app.http.route import ApiRoute
from app.processes.application import create_app
from app.settings import Settings
from tests.support.calls import NO_LEASE

# Bodies that are good where one is needed.
_BODIES: dict[str, Any] = {
    "POST /tasks": {"title": "x"},
    "POST /tasks/batch": {"tasks": [{"title": "x"}]},
    "PATCH /tasks/{task_id}": {"title": "x"},
    "PUT /schedules/{name}": {"cron": "0 * * * *", "task": {"title": "x"}},
    "POST /schedules/{name}/backfill": {
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-02T00:00:00Z",
    },
    "PUT /admin/queues/{name}/settings": {},
    "PUT /admin/queues/{name}/groups/{group}": {"running": 5, "weight": 3},
    "POST /leases": {"worker": "w"},
    "POST /leases/{lease_id}/complete": {"submit": [{"title": "x"}]},
    "POST /leases/finish": {"items": []},
    "POST /leases/heartbeat": {"items": [{"lease_id": NO_LEASE}]},
}
PARAMS = {
    "POST /admin/tasks/{action}": {"status": "to_do"},
    "GET /cron": {"expression": "0 * * * *"},
}
_PARTS = {
    **{"task_id": "1", "lease_id": NO_LEASE, "name": "default", "action": "cancel"},
    "worker": "factory-worker",
    "group": "customer-17",
}


class Call(NamedTuple):
    """A method and a path's template, as in `POST /admin/tasks/{task_id}/{action}`."""

    method: str
    template: str

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    async def send(
        self,
        api: httpx.AsyncClient,
        *,
        params: dict[str, str] | None = None,
        headers: Any = None,
        **parts: str,
    ) -> httpx.Response:
        """Send it, whole and right but for what is given."""
        path = re.sub(r"\{(\w+)\}", lambda part: (_PARTS | parts)[part[1]], self.template)
        query = PARAMS.get(str(self), {}) | (params or {})
        return await api.request(
            self.method, path, params=query, headers=headers, json=_BODIES.get(str(self))
        )


def calls() -> list[Call]:
    """All that a door, or the lack of one, stands before."""
    app = create_app(Settings(database_url="mysql://nobody@127.0.0.1:1/nothing"))
    return [
        Call(method, route.path_format)
        for route in app.routes
        if isinstance(route, ApiRoute)
        for method in sorted(route.methods or ())
    ]


# `/cron` asks for nothing but the time, which may be known from the second before, and
# `/tasks/cost` for counts that are remembered.
_WITHOUT_MYSQL: Final = (
    *("/healthz", "/readyz", "/metrics", "/cron", "/me", "/admin/doctor"),
    "/tasks/cost",
)
NEEDING_MYSQL: Final = [call for call in calls() if call.template not in _WITHOUT_MYSQL]
