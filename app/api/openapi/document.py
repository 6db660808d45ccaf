"""The OpenAPI document: FastAPI's, with the doors, the errors and the examples as they are."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.answers import Problem
from app.api.examples import BODIES, PROBLEMS
from app.http.auth import DOORS, Door, ways_in
from app.http.route import ApiRoute
from app.settings import Settings

_SCHEMES: Final = {
    door: {"type": "http", "scheme": "bearer", "description": f"A token for the {door} door."}
    for door in DOORS
}
_REQUEST_ID: Final = {
    "description": "The id sent with the request, or a new one; it is also logged.",
    "required": True,
    "schema": {"type": "string"},
}
_REQUEST_ID_HEADER: Final = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        _complete_schemas(document["components"]["schemas"])
        document["components"]["securitySchemes"] = _SCHEMES
        document["components"]["headers"] = {"X-Request-Id": _REQUEST_ID}
        for route in app.routes:
            if isinstance(route, ApiRoute):
                for method in route.methods or ():
                    operation = document["paths"][route.path_format][method.lower()]
                    operation["security"] = _security_of(route, method, app.state.settings)
                    for answer in operation["responses"].values():
                        answer["headers"] = answer.get("headers", {}) | _REQUEST_ID_HEADER
        app.openapi_schema = document
    return app.openapi_schema


def _security_of(route: ApiRoute, method: str, settings: Settings) -> list[dict[str, list[str]]]:
    if route.door is Door.OPEN:
        return []
    needed: list[dict[str, list[str]]] = [{str(door): []} for door in ways_in(route.door, method)]
    # {}: or none at all. It is so for figures on loopback, and for all where there are no tokens.
    return needed if settings.has_tokens and route.door is not Door.ANY else [*needed, {}]


def _complete_schemas(schemas: dict[str, Any]) -> None:
    schemas["Problem"] = Problem.model_json_schema() | {"examples": list(PROBLEMS.values())}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in BODIES.items():
        schemas[name]["examples"] = [example]
    for field in schemas["PatchTask"]["properties"].values():
        # What is left out stays as it is: a client made from this must not fill in anything.
        field.pop("default", None)
