"""A route that lets the right token in and reads a request strictly, at little cost.

FastAPI makes the OpenAPI document from an endpoint's signature as always. At run time the
same signature is read once, here, and a request then costs no dependency graph, no exit
stacks, and one pass over its body. `docs/decisions/` has the measurement.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, ClassVar, Final, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, unquote_plus, unquote_to_bytes

from fastapi import Request, Response
from fastapi.params import Depends, Header, Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.convertors import Convertor, register_url_convertor

from app.http.auth import Door
from app.http.body import BODY_LIMIT_BYTES, header_of, parse_body, read_body
from app.http.problems import FieldError, InvalidRequestError, invalid_fields

# A thousand ids, and whatever else a list may be asked for.
PARAMETERS_LIMIT: Final = 1500
SHOWN_BYTES: Final = 1024
# In the place of bytes that are no UTF-8.
_PUT_IN: Final = "\ufffd"

Read = Callable[[Request], Awaitable[Any]]


class Anything(Convertor[str]):
    """For the last part of a path, `{name:anything}`: the rest, slashes and lines included."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", Anything())


class ApiRoute(APIRoute):
    """A route behind one door. Subclasses say which."""

    door: ClassVar[Door] = Door.OPEN

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["operation_id"] = endpoint.__name__  # as the links call it
        super().__init__(path, endpoint, **options)
        self._readers = _readers(endpoint, self.max_body_size or BODY_LIMIT_BYTES)
        self._reads_query = any(isinstance(marker, Query) for _, marker, _ in _parameters(endpoint))
        self._refuses_body = "POST" in (self.methods or ()) and self.body_field is None
        self._reads_body = self._refuses_body or self.body_field is not None

    async def answer(self, request: Request) -> Response:
        """The endpoint's answer. Raises what `problems.problem_of` knows to show."""
        await request.app.state.doorkeeper.admit(request, self.door)
        if not self._reads_query and request.scope["query_string"]:
            _refuse_query(request)
        if not self._reads_body:
            return await self._answer(request)
        with request.app.state.admission.room_for(request):
            if self._refuses_body:
                await _read_nothing(request)
            return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        # The arguments have no name here: a long poll would keep them.
        response: Response = await self.endpoint(
            **{name: await read(request) for name, read in self._readers}
        )
        return response


class ClientRoute(ApiRoute):
    door = Door.CLIENT


class WorkerRoute(ApiRoute):
    door = Door.WORKER


class AdminRoute(ApiRoute):
    door = Door.ADMIN


class FiguresRoute(ApiRoute):
    door = Door.ANY


class KnownRoute(ApiRoute):
    door = Door.KNOWN


def _parameters(endpoint: Callable[..., Any]) -> list[tuple[str, Any, inspect.Parameter]]:
    """Each parameter's name, its FastAPI marker or None, and itself with its type resolved."""
    hints = get_type_hints(endpoint, include_extras=True)
    found = []
    for name, parameter in inspect.signature(endpoint).parameters.items():
        hint = hints[name]
        marker = None
        if get_origin(hint) is Annotated:
            markers = [
                m for m in get_args(hint)[1:] if isinstance(m, Depends | Header | Path | Query)
            ]
            marker = markers[0] if markers else None
        found.append((name, marker, parameter.replace(annotation=hint)))
    return found


def _readers(endpoint: Callable[..., Any], limit_bytes: int) -> list[tuple[str, Read]]:
    readers: list[tuple[str, Read]] = []
    for name, marker, parameter in _parameters(endpoint):
        hint = parameter.annotation
        if hint is Request:
            readers.append((name, _itself))
        elif isinstance(marker, Depends):
            assert marker.dependency is not None
            readers.append((name, _from_dependency(marker.dependency)))
        elif isinstance(marker, Path):
            readers.append((name, _from_path(name, TypeAdapter(hint))))
        elif isinstance(marker, Header):
            header = name.replace("_", "-").encode()
            readers.append((name, _from_header(header, TypeAdapter(hint))))
        elif isinstance(marker, Query):
            readers.append((name, _from_query(get_args(hint)[0])))
        else:
            assert issubclass(hint, BaseModel), f"{endpoint}: {name} comes from nowhere"
            may_be_empty = parameter.default is not inspect.Parameter.empty
            readers.append((name, _from_body(hint, limit_bytes, may_be_empty=may_be_empty)))
    return readers


async def _itself(request: Request) -> Request:
    return request


def _from_dependency(dependency: Callable[..., Any]) -> Read:
    async def read(request: Request) -> Any:
        return dependency(request)

    return read


def _from_path(name: str, adapter: TypeAdapter[Any]) -> Read:
    async def read(request: Request) -> Any:
        value = request.path_params[name]
        if _PUT_IN in value:
            _refuse_path_that_is_no_text(request, name)
        return _validated(adapter, value, name)

    return read


def _from_header(name: bytes, adapter: TypeAdapter[Any]) -> Read:
    shown = name.decode().title()

    async def read(request: Request) -> Any:
        return _validated(adapter, header_of(request, name), shown)

    return read


def _from_query(model: type[BaseModel]) -> Read:
    repeatable = {
        name
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) in (list, tuple)
    }

    async def read(request: Request) -> Any:
        values: dict[str, Any] = {}
        if request.scope["query_string"].count(b"&") >= PARAMETERS_LIMIT:
            message = f"must have at most {PARAMETERS_LIMIT:,} parameters"
            raise InvalidRequestError([FieldError("query", message)])
        items = request.query_params.multi_items()
        if any("\ufffd" in value for _, value in items):
            _refuse_what_is_no_text(request)
        for name, value in items:
            if name in repeatable:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise InvalidRequestError([FieldError(name, "must be given only once")])
            else:
                values[name] = value
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise InvalidRequestError(invalid_fields(error)) from error

    return read


def _from_body(model: type[BaseModel], limit_bytes: int, *, may_be_empty: bool) -> Read:
    async def read(request: Request) -> Any:
        body = await read_body(request, limit_bytes=limit_bytes)
        return await parse_body(request, body, model, may_be_empty=may_be_empty)

    return read


def _validated(adapter: TypeAdapter[Any], value: Any, name: str) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidRequestError(invalid_fields(error, prefix=(name,))) from error


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def _read_nothing(request: Request) -> None:
    body = await read_body(request, limit_bytes=BODY_LIMIT_BYTES)
    if body:
        await parse_body(request, body, _Nothing, may_be_empty=True)


def _refuse_path_that_is_no_text(request: Request, name: str) -> None:
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError([FieldError(name, "must be UTF-8")]) from error


def _refuse_what_is_no_text(request: Request) -> None:
    for item in request.scope["query_string"].split(b"&"):
        name, _, value = item.partition(b"=")
        try:
            unquote_to_bytes(value).decode()
        except UnicodeDecodeError as error:
            field = unquote_plus(name.decode("latin-1"))
            raise InvalidRequestError([FieldError(field, "must be UTF-8")]) from error


def _refuse_query(request: Request) -> None:
    # Anybody may ask, and to read on would take longer than all that is answered here.
    shown = request.scope["query_string"][:SHOWN_BYTES].decode("latin-1")
    names = dict.fromkeys(name for name, _ in parse_qsl(shown, keep_blank_values=True))
    if names:
        unknown = "is not a parameter of this call"
        raise InvalidRequestError([FieldError(name, unknown) for name in names])
