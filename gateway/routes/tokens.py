"""Tokens: OAuth 2.0 client credentials (RFC 6749 §4.4), server metadata (RFC 8414, RFC 9728), keys (RFC 7517)."""

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from gateway.errors import (
    InvalidClient,
    NetworkRefused,
    TokenRequestInvalid,
    TokensElsewhere,
    UnsupportedGrant,
)
from gateway.models import Client
from gateway.operations.book import lies_within, networks_of
from gateway.operations.issuing import Authority, Issuer
from gateway.operations.logins import (
    ASSERTION_ALGORITHMS,
    authenticate_by_assertion,
    authenticate_by_secret,
    granted_scopes,
)
from gateway.routes.limits import LoginGuard
from gateway.routes.peers import Peers
from shared import clock, problems
from shared.errors import DomainError
from shared.http import problem_responses

router = APIRouter(tags=["tokens"])
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FIELDS_MAX, FORM_BYTES_MAX = 50, 30_000
FORM_TYPE = "application/x-www-form-urlencoded"
LENGTHS_MAX = {
    "grant_type": 50,
    "client_id": 100,
    "client_secret": 200,
    "scope": 1000,
    "client_assertion_type": 100,
    "client_assertion": 5000,
}


class TokenAnswer(BaseModel):
    """RFC 6749 §5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the type's name
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class _Login:
    """Who a client says it is, and what is to prove it."""

    client_id: str
    secret: str = ""
    assertion: str = ""


_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
        "client_id": {"type": "string", "pattern": "^[\\x20-\\x7e]*$", "maxLength": LENGTHS_MAX["client_id"]},
        "client_secret": {"type": "string", "pattern": "^[\\x20-\\x7e]*$", "maxLength": LENGTHS_MAX["client_secret"]},
        "client_assertion": {
            "type": "string",
            "description": "A signed JWT instead of a secret (RFC 7523).",
            "pattern": r"^[0-9A-Za-z_-]*\.[0-9A-Za-z_-]*\.[0-9A-Za-z_-]*$",
            "maxLength": LENGTHS_MAX["client_assertion"],
        },
        "scope": {
            "type": "string",
            "description": "Fewer scopes than the client has, with spaces.",
            "pattern": "^[\\x20-\\x7e]*$",
            "maxLength": LENGTHS_MAX["scope"],
        },
    },
}


@router.post(
    "/oauth/token",
    summary="Get an access token",
    response_model=TokenAnswer,
    responses=problem_responses(400, 401, 403, 422, 429, 503),
    openapi_extra={"requestBody": {"required": True, "content": {FORM_TYPE: {"schema": _FORM}}}},
)
async def token(request: Request) -> Response:
    """Exchange a client's secret (HTTP Basic or form fields) or signed assertion (RFC 7523) for a signed token.

    A refusal is a problem document that also has the member `error` of RFC 6749 §5.2; a client that asks for
    application/json gets it as that.
    """
    try:
        answer = await _grant(request)
    except DomainError as error:
        response = problems.render(error)
        if "application/json" in request.headers.get("accept", ""):
            response.headers["Content-Type"] = "application/json"
        response.headers.update(NOT_KEPT)
        return response
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


async def _grant(request: Request) -> TokenAnswer:
    state = request.app.state
    authority: Authority = state.authority
    if authority.external:
        raise TokensElsewhere(
            f"Get a token from {authority.issuer} and call with it.", error="invalid_request", issuer=authority.issuer
        )
    asked = await _asked(request)
    if asked["grant_type"] != "client_credentials":
        raise UnsupportedGrant("Send grant_type=client_credentials.", error=UnsupportedGrant.code)
    issuer: Issuer = state.issuer
    client, certificate = await _authenticated(request, asked)
    scopes = granted_scopes(client, asked["scope"])
    inherited = await state.succession.inherited(client.agency)
    signed = issuer.token(client, scopes, inherited, certificate)
    return TokenAnswer(access_token=signed, expires_in=issuer.lifetime_s, scope=" ".join(scopes))


async def _asked(request: Request) -> dict[str, str]:
    """Return what the form says, empty where it says nothing; raises TokenRequestInvalid (RFC 6749 §3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise _invalid(f"Send a form, {FORM_TYPE}.")
    try:
        pairs = parse_qsl((await _body(request)).decode("ascii"), max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError as problem:
        raise _invalid("The form cannot be read.") from problem
    asked = dict.fromkeys(LENGTHS_MAX, "")
    for name, most in LENGTHS_MAX.items():
        values = [value for said, value in pairs if said == name]
        if len(values) > 1:
            raise _invalid(f"{name} was sent more than once.")
        asked[name] = values[0] if values else ""
        if len(asked[name]) > most or "\0" in asked[name]:
            raise _invalid(f"{name} is longer than {most} characters, or holds one that cannot be kept.")
    if not asked["grant_type"]:
        raise _invalid("Send grant_type=client_credentials.")
    return asked


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > FORM_BYTES_MAX:
            raise _invalid(f"A form has at most {FORM_BYTES_MAX} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def _invalid(detail: str) -> TokenRequestInvalid:
    return TokenRequestInvalid(detail, error="invalid_request")


async def _authenticated(request: Request, asked: dict[str, str]) -> tuple[Client, str | None]:
    """Return who asks, and the certificate that the token is bound to if it is to any."""
    state = request.app.state
    peers: Peers = state.peers
    guard: LoginGuard = state.login_guard
    address = peers.address(request.scope)
    login = _login(request, asked)
    guard.check(address, login.client_id)
    try:
        client = await _proven(request, login)
    except InvalidClient:
        guard.failed(address, login.client_id)
        raise
    if client.networks and not lies_within(address, networks_of(client.networks)):
        raise NetworkRefused("The client may not ask from this address.", error="unauthorized_client")
    return client, _certificate_for(client, peers.certificate(request.scope))


async def _proven(request: Request, login: _Login) -> Client:
    authority: Authority = request.app.state.authority
    now = clock.now()
    async with request.app.state.database.session() as session:
        if login.assertion:
            audiences = (authority.issuer, f"{authority.issuer}/oauth/token")
            client = await authenticate_by_assertion(
                session, assertion=login.assertion, client_id=login.client_id, audiences=audiences, now=now
            )
        else:
            client = await authenticate_by_secret(session, client_id=login.client_id, secret=login.secret, now=now)
        # An assertion is used up before its token leaves.
        await session.commit()
    return client


def _certificate_for(client: Client, shown: str | None) -> str | None:
    if client.certificate_bound and (shown is None or (client.certificates and shown not in client.certificates)):
        raise InvalidClient("Ask with the certificate that is registered for the client.", error=InvalidClient.code)
    return shown if client.certificate_bound or shown in client.certificates else None


def _login(request: Request, asked: dict[str, str]) -> _Login:
    """Return who asks; a client says so in one way only (RFC 6749 §2.3), but Basic is preferred to a form's secret."""
    basic = _basic_credentials(request.headers.get("authorization"))
    if asked["client_assertion"] or asked["client_assertion_type"]:
        if basic or asked["client_secret"]:
            raise _invalid("Send a secret or an assertion, not both.")
        if asked["client_assertion_type"] != ASSERTION_TYPE:
            raise _invalid(f"client_assertion_type is {ASSERTION_TYPE}.")
        return _Login(asked["client_id"], assertion=asked["client_assertion"] or "-")
    return basic or _Login(asked["client_id"], asked["client_secret"])


def _basic_credentials(authorization: str | None) -> _Login | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as problem:
        raise InvalidClient("The Basic credentials cannot be read.", error=InvalidClient.code) from problem
    # Both were form-encoded before they were put together (RFC 6749 §2.3.1).
    known = _Login(unquote_plus(client_id), unquote_plus(secret))
    if "\0" in known.client_id or len(known.client_id) > LENGTHS_MAX["client_id"]:
        raise InvalidClient("Check client_id and client_secret.", error=InvalidClient.code)
    return known


@router.get("/.well-known/jwks.json", summary="The keys that tokens are signed with", response_model=dict[str, Any])
async def jwks(request: Request) -> Response | dict[str, object]:
    """Answer with the public keys; with an external issuer, with the way to its own."""
    authority: Authority = request.app.state.authority
    if authority.external:
        return RedirectResponse(authority.jwks_url)
    return request.app.state.issuer.jwks()


@router.get("/.well-known/oauth-authorization-server", summary="Where tokens come from")
async def metadata(request: Request) -> dict[str, object]:
    """Answer with RFC 8414 metadata; with an external issuer they only name it, its own metadata say the rest."""
    authority: Authority = request.app.state.authority
    peers: Peers = request.app.state.peers
    if authority.external:
        return {"issuer": authority.issuer, "jwks_uri": authority.jwks_url, "response_types_supported": []}
    return {
        "issuer": authority.issuer,
        "token_endpoint": f"{authority.issuer}/oauth/token",
        "jwks_uri": f"{authority.issuer}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "response_types_supported": [],
        "tls_client_certificate_bound_access_tokens": peers.see_certificates,
        "ui_locales_supported": ["vi", "en"],
    }


@router.get("/.well-known/oauth-protected-resource", summary="Whose tokens are taken here")
async def resource_metadata(request: Request) -> dict[str, object]:
    """Answer with RFC 9728 metadata: whoever has no token yet finds its issuer here."""
    authority: Authority = request.app.state.authority
    peers: Peers = request.app.state.peers
    return {
        "resource": authority.address,
        "authorization_servers": [authority.issuer],
        "bearer_methods_supported": ["header"],
        "resource_name": "Một Cửa",
        "tls_client_certificate_bound_access_tokens": peers.see_certificates,
    }
