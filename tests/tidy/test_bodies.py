"""Every call's JSON and every moment in a query stand on the shared rules (shared.bodies), not on pydantic's."""

from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import pytest
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import AwareDatetime, BaseModel, BeforeValidator, FutureDate, NaiveDatetime, PastDate
from pydantic.fields import FieldInfo

from deploy.docs.parts import PARTS
from shared.bodies import Body, Day, Moment

PYDANTICS_TIMES = (AwareDatetime, NaiveDatetime, FutureDate, PastDate)
RULED = {found for kind in (Day, Moment) for found in get_args(kind) if isinstance(found, BeforeValidator)}

WORDS_OF_THE_PLATFORM = {
    "payment: /payments/callbacks/national: Report",
    "payment: /payments/lookups/national: DebtQuestion",
}
"""Its messages have names, types and additions of its own."""


def routes() -> list[tuple[str, APIRoute]]:
    """Return every call of every process, with its name."""
    found = [(part.name, context) for part in PARTS for context in iter_route_contexts(part.app().routes)]
    return [
        (f"{name}: {context.path}", context.original_route)
        for name, context in found
        if isinstance(context.original_route, APIRoute)
    ]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models a type is made of, and those that these are made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for part in get_args(annotation):
        yield from models_in(part)


def is_time(annotation: Any) -> bool:
    """Tell whether a type is, or may be, a day or a moment."""
    if annotation in PYDANTICS_TIMES or (isinstance(annotation, type) and issubclass(annotation, date)):
        return True
    return any(is_time(part) for part in get_args(annotation))


def is_ruled(field: FieldInfo) -> bool:
    """Tell whether a day or a moment is read by the shared rule."""
    said = [*field.metadata, *(more for part in get_args(field.annotation) for more in get_args(part))]
    return any(one in RULED for one in said if isinstance(one, BeforeValidator))


@pytest.fixture(scope="module")
def calls() -> list[tuple[str, APIRoute]]:
    found = routes()
    assert len(found) > 300
    return found


def test_every_body_is_a_shared_one(calls: list[tuple[str, APIRoute]]) -> None:
    others = {
        f"{name}: {model.__name__}"
        for name, route in calls
        if route.body_field
        for model in models_in(route.body_field.field_info.annotation)
        if not issubclass(model, Body)
    }
    assert others == WORDS_OF_THE_PLATFORM


def test_every_day_and_moment_asked_for_is_read_by_the_shared_rule(calls: list[tuple[str, APIRoute]]) -> None:
    asked = [
        (f"{name}: {one.name}", one.field_info) for name, route in calls for one in get_flat_params(route.dependant)
    ]
    times = [(name, field) for name, field in asked if is_time(field.annotation)]
    assert len(times) >= 20
    assert [name for name, field in times if not is_ruled(field)] == []
