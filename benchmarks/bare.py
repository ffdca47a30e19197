"""The ceiling of a submission: a bare FastAPI endpoint, the same kind of body validated, one asyncpg insert."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ
from typing import Annotated

import asyncpg
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

TABLE = "CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body jsonb NOT NULL)"


class Person(BaseModel):
    """An applicant."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    name: Annotated[str, Field(min_length=1, max_length=200)]
    id_kind: str
    id_number: Annotated[str, Field(pattern=r"^\d{12}$")]
    phone: str


class Paper(BaseModel):
    """A document."""

    model_config = ConfigDict(extra="forbid")

    component_code: str
    name: str
    paper: bool = False


class Body(BaseModel):
    """A dossier."""

    model_config = ConfigDict(extra="forbid")

    procedure_code: str
    agency_code: str
    channel: str
    applicant: Person
    summary: Annotated[str, Field(max_length=1000)]
    documents: list[Paper]
    return_method: str


class Made(BaseModel):
    """The answer."""

    id: int


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(environ["BARE_DATABASE_URL"], min_size=8, max_size=16) as pool:
        await pool.execute(TABLE)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/dossiers", status_code=201)
async def submit(request: Request, body: Body) -> Made:
    """Insert one row."""
    statement = "INSERT INTO bare (body) VALUES ($1) RETURNING id"
    return Made(id=await request.app.state.pool.fetchval(statement, body.model_dump_json()))
