"""Tokens: OAuth 2.0 client credentials (RFC 6749 §4.4), server metadata (RFC 8414), keys (RFC 7517)."""

import base64
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel

from gateway.errors import InvalidClient, UnsupportedGrant
from gateway.operations.clients import Issuer, authenticate_client, granted_scopes
from gateway.operations.succession import Succession
from shared.http import SessionDep, problem_responses

router = APIRouter(tags=["tokens"])


class TokenAnswer(BaseModel):
    """RFC 6749 §5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the type's name
    expires_in: int
    scope: str


@router.post("/oauth/token", summary="Get an access token", responses=problem_responses(400, 401, 422, 503))
async def token(
    request: Request,
    response: Response,
    session: SessionDep,
    grant_type: Annotated[str, Form(max_length=50)],
    client_id: Annotated[str, Form(max_length=100)] = "",
    client_secret: Annotated[str, Form(max_length=200)] = "",
    scope: Annotated[str | None, Form(max_length=1000)] = None,
) -> TokenAnswer:
    """Exchange a client's id and secret (HTTP Basic or form fields) for a signed token.

    A refusal is a problem document that also has the member `error` of RFC 6749 §5.2.
    """
    if grant_type != "client_credentials":
        raise UnsupportedGrant("Send grant_type=client_credentials.", error=UnsupportedGrant.code)
    basic = _basic_credentials(request.headers.get("authorization"))
    known = basic or (client_id, client_secret)
    client = await authenticate_client(session, client_id=known[0], secret=known[1])
    issuer: Issuer = request.app.state.issuer
    response.headers["Cache-Control"] = "no-store"
    scopes = granted_scopes(client, scope)
    succession: Succession = request.app.state.succession
    signed = issuer.token(client, scopes, await succession.inherited(client.agency))
    return TokenAnswer(access_token=signed, expires_in=issuer.lifetime_s, scope=" ".join(scopes))


def _basic_credentials(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as problem:
        raise InvalidClient("The Basic credentials cannot be read.", error=InvalidClient.code) from problem
    return client_id, secret


@router.get("/.well-known/jwks.json", summary="The keys that tokens are signed with")
async def jwks(request: Request) -> dict[str, object]:
    """Answer with the public keys."""
    return request.app.state.issuer.jwks()


@router.get("/.well-known/oauth-authorization-server", summary="Where tokens come from")
async def metadata(request: Request) -> dict[str, object]:
    """Answer with RFC 8414 metadata."""
    issuer = request.app.state.issuer.issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "response_types_supported": [],
    }
