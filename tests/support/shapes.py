"""Whether an answer is what its schema says: valid, and with no field more or less."""

from typing import Any

from pydantic import BaseModel, TypeAdapter

from tests.support.calls import Document


def assert_has_the_shape_of(shape: Any, found: Any) -> None:
    """`shape` is a model, or a list of one."""
    model = TypeAdapter(shape).validate_python(found)
    for item, document in zip(
        model if isinstance(model, list) else [model],
        found if isinstance(found, list) else [found],
        strict=True,
    ):
        _assert_same_fields(item, document)


def _assert_same_fields(model: BaseModel, found: Document) -> None:
    assert found.keys() == model.model_dump(exclude_unset=True).keys()
    needed = {name for name, field in type(model).model_fields.items() if field.is_required()}
    assert needed <= found.keys() <= type(model).model_fields.keys()
    for name in found:
        value = getattr(model, name)
        for item, part in zip(
            value if isinstance(value, list) else [value],
            found[name] if isinstance(found[name], list) else [found[name]],
            strict=True,
        ):
            if isinstance(item, BaseModel):
                _assert_same_fields(item, part)
