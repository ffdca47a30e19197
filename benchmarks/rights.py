"""What the door's check of rights costs a call: `python -m benchmarks.rights`; needs no server at all.

Each figure is the middleware around an app that does nothing, so the difference to the first line is the added cost.
"""

import asyncio
from datetime import timedelta
from time import process_time
from types import SimpleNamespace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.models import Client
from gateway.operations.book import Book, Entry, networks_of
from gateway.operations.issuing import Authority, Issuer
from gateway.operations.metering import Meter
from gateway.operations.rights import Grant, Rights
from gateway.routes.peers import Peers
from gateway.routes.rights import Guarded
from shared.db import Database
from shared.tokens import TokenVerifier

CALLS, ROUNDS = 20_000, 5
ADDRESS = "http://127.0.0.1:8000"
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
MANY = 1_000_000_000
CLIENTS = 2_000
"""Others in the book."""


async def nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 200 without a body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def only_verified(app: ASGIApp) -> ASGIApp:
    """Return what the door did before: the token is verified, nothing else."""

    async def verified(scope: Scope, receive: Receive, send: Send) -> None:
        header = next(value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization")
        scope.setdefault("state", {})["caller"] = await scope["app"].state.tokens.verify(header)
        await app(scope, receive, send)

    return verified


async def _receive() -> Message:
    return {"type": "http.request"}


async def _send(_: Message) -> None:
    return None


def _entry(client_id: str, quota: int | None = None) -> Entry:
    grants = tuple(Grant(f"service-{nth}") for nth in range(20))
    rights = Rights(client_id, grants, calls_per_minute=quota, calls_per_day=quota, concurrency_max=quota)
    return Entry(
        client_id=client_id,
        agency="H32",
        scopes=frozenset({"dossiers:read"}),
        active=True,
        valid_from=float("-inf"),
        valid_until=float("inf"),
        certificates=frozenset(),
        certificate_bound=False,
        rights=rights,
    )


async def _microseconds(app: ASGIApp, scope: dict[str, Any]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = process_time()
        for _ in range(CALLS):
            await app(dict(scope), _receive, _send)
        best = min(best, (process_time() - started) / CALLS * 1e6)
    return best


async def main() -> None:
    """Measure and print."""
    issuer = Issuer(issuer=ADDRESS, key_file="", lifetime_s=int(timedelta(days=1).total_seconds()), audience="motcua")
    tokens = TokenVerifier(issuer=ADDRESS, jwks_url="", http=None)  # type: ignore[arg-type]
    tokens.use_keys(issuer.keys)
    database = Database(NOWHERE, service="gateway")
    book, meter = Book(database), Meter(database)
    plain, metered = _entry("plain"), _entry("metered", MANY)
    metered.networks = networks_of(["10.0.0.0/8", "192.168.0.0/16"])
    book._entries = {  # noqa: SLF001 - there is no database to read them from
        f"client-{nth}": plain for nth in range(CLIENTS)
    } | {"plain": plain, "metered": metered}
    authority = Authority(issuer=ADDRESS, jwks_url="", address=ADDRESS, external=False)
    direct = Peers(proxies=(), header="x-forwarded-for", certificate_proxies=())
    proxied = Peers(proxies=["192.0.2.0/24"], header="x-forwarded-for", certificate_proxies=())
    state = SimpleNamespace(tokens=tokens, book=book, meter=meter, authority=authority, peers=direct)

    def scope_of(client_id: str) -> dict[str, Any]:
        client = Client(client_id=client_id, agency="H32", scopes=["dossiers:read"])
        token = issuer.token(client, ["dossiers:read"])
        headers = [(b"host", b"x"), (b"authorization", f"Bearer {token}".encode()), (b"x-forwarded-for", b"10.1.2.3")]
        path = "/api/v1/dossiers/H32.14-260407-0001"
        more = {"raw_path": path.encode(), "client": ("192.0.2.7", 1), "app": SimpleNamespace(state=state)}
        return {"type": "http", "method": "GET", "path": path, "headers": headers, **more}

    base = await _microseconds(only_verified(nothing), scope_of("plain"))
    print(f"token verified alone (as before)                {base:6.2f} µs a call")
    found = await _microseconds(Guarded(nothing), scope_of("plain"))
    print(f"rights, no quotas                               {found:6.2f} µs, added {found - base:5.2f} µs")
    state.peers = proxied
    meter._count(metered.rights).read = True  # noqa: SLF001 - the same
    found = await _microseconds(Guarded(nothing), scope_of("metered"))
    print(f"rights, all three quotas, networks, a proxy     {found:6.2f} µs, added {found - base:5.2f} µs")
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
