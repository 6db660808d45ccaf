"""The OpenAPI document: FastAPI's, with the doors, the errors and the examples as they are."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.auth import Door
from app.api.door import DoorRoute
from app.api.examples import BODIES, PROBLEMS
from app.api.schemas import Problem

_SCHEMES: Final = {
    door: {"type": "http", "scheme": "bearer", "description": f"A token of the {door} door."}
    for door in (Door.CLIENT, Door.WORKER, Door.ADMIN)
}


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        _complete_schemas(document["components"]["schemas"])
        document["components"]["securitySchemes"] = _SCHEMES
        for route in app.routes:
            if isinstance(route, DoorRoute):
                doors = _doors_of(route)
                for method in route.methods or ():
                    operation = document["paths"][route.path_format][method.lower()]
                    operation["security"] = [{str(door): []} for door in doors]
        app.openapi_schema = document
    return app.openapi_schema


def _doors_of(route: DoorRoute) -> list[Door]:
    if route.door is Door.OPEN:
        return []
    return list(_SCHEMES) if route.door is Door.ANY else [route.door]


def _complete_schemas(schemas: dict[str, Any]) -> None:
    schemas["Problem"] = Problem.model_json_schema() | {"examples": list(PROBLEMS.values())}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in BODIES.items():
        schemas[name]["examples"] = [example]
    for field in schemas["PatchTask"]["properties"].values():
        # What is left out stays as it is: a client made from this must not fill in anything.
        field.pop("default", None)
