"""The type of a handler's payloads."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter, ValidationError

from rowlock.encoding import encode
from rowlock.errors import FieldError, PayloadError

# A long list may be wrong in each of its items.
ERRORS_LIMIT: Final = 20


class PayloadType:
    """Makes what a handler takes of the payload of its task. Raises `ValueError` for a type
    that cannot be made of JSON."""

    def __init__(self, annotation: Any) -> None:
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        except (PydanticUserError, PydanticUndefinedAnnotation) as error:
            raise ValueError(f"a payload cannot be made into it: {error}") from error

    def read(self, payload: Any, title: str) -> Any:
        """What the handler takes. Raises `PayloadError`."""
        try:
            # By way of JSON: a strict model takes other things from it than from Python.
            return self._adapter.validate_json(encode(payload))
        except ValidationError as error:
            raise PayloadError(title, [*_errors_of(error)]) from None
        except ValueError as error:
            raise PayloadError(title, [FieldError("payload", str(error))]) from error


def _errors_of(error: ValidationError) -> Iterator[FieldError]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for one in found[:ERRORS_LIMIT]:
        yield FieldError(".".join(map(str, ("payload", *one["loc"]))), one["msg"])
    if len(found) > ERRORS_LIMIT:
        yield FieldError("payload", f"{len(found) - ERRORS_LIMIT} more errors")
