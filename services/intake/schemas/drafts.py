"""Drafts on the wire."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.intake.models import Draft
from services.intake.schemas.answers import Answer
from services.intake.schemas.requests import Body, Code

DRAFT_BYTES_MAX = 256 * 1024


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""U+0000 in JSON, which PostgreSQL keeps in no jsonb."""


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    as_json = orjson.dumps(body)
    if _NUL.search(as_json):
        raise ValueError("the character U+0000 cannot be kept")
    if len(as_json) > DRAFT_BYTES_MAX:
        raise ValueError(f"a draft holds at most {DRAFT_BYTES_MAX} bytes: upload files and name their ids")
    return body


Filled = Annotated[
    dict[str, Any],
    AfterValidator(_kept),
    Field(examples=[{"procedure_code": "1.004222", "channel": "online"}]),
]
"""What is filled in of a dossier, as POST /dossiers takes it; anything may be missing or wrong yet."""


class DraftBody(Body):
    """A draft to save."""

    dossier: Filled
    reference: Code | None = None
    """By which the saving system finds it again: a key of its own, no personal data."""


class SavedDraftBody(Body):
    """A draft to save anew."""

    dossier: Filled


class DraftProblem(BaseModel):
    """Something that would be refused now."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    message: str
    message_vi: str


class DraftLine(Answer):
    """A draft in a list."""

    id: UUID
    reference: str | None
    created_at: datetime
    saved_at: datetime
    expires_at: datetime
    """Deleted then; every saving begins its time anew."""
    dossier_code: str | None
    """The dossier it became."""


class DraftView(DraftLine):
    """A whole draft (personal data)."""

    dossier: dict[str, Any]
    problems: list[DraftProblem]
    """What POST /drafts/{id}/submit would refuse now."""


class DraftPage(Answer):
    """A part of the list of drafts."""

    items: list[DraftLine]
    next_cursor: str | None


def draft_view(draft: Draft, problems: list[DraftProblem]) -> DraftView:
    """Return a draft with what is wrong with it."""
    line = DraftLine.model_validate(draft).model_dump()
    return DraftView(**line, dossier=draft.body, problems=problems)
