"""Who may read, and which part of a list is wanted: what the routes of payment share."""

from typing import Annotated

from fastapi import Depends, Path, Query

from services.payment.queries import Window
from services.payment.schemas.fees import PAGE_DEFAULT, PAGE_MAX, read_cursor
from shared.caller import Caller
from shared.http import CallerDep

OFFICE = "dossiers:decide"
"""Taking cash, waiving, and deciding about money that nobody can explain are acts of an office."""
Paged = dict[str, object]


async def _reader(caller: CallerDep) -> Caller:
    caller.require("fees:read", "payments:write", "refunds:write")
    return caller


async def _window(
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Window:
    return Window(limit, read_cursor(cursor))


ReaderDep = Annotated[Caller, Depends(_reader)]
WindowDep = Annotated[Window, Depends(_window)]
DossierCode = Annotated[str, Query(min_length=1, max_length=64, examples=["H32.14-260407-0001"])]
AgencyPath = Annotated[str, Path(min_length=3, max_length=32, examples=["H32.14"])]
Filter = Annotated[str | None, Query(max_length=64)]
