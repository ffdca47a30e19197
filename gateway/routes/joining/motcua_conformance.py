"""Check a connection to Một Cửa, from a partner's side: `python3 motcua_conformance.py --help`.

One file, Python 3.10 or newer, nothing to install. It needs a client of the sandbox: it submits a dossier.
Exit code 0: all that was checked is as the contract says; 1: something is not; 2: it could not begin.
"""

import argparse
import base64
import json
import os
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_S = 45
PATIENCE_S = 30
Headers = Mapping[str, str]
PROBLEM = "application/problem+json"
MARKER = "motcua-conformance-marker"


_PERSON = {"kind": "citizen", "name": "Người Thử Nghiệm", "id_kind": "cccd", "email": "sandbox@example.vn"}


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: where a call goes is the contract's to say."""

    def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - urllib's
        pass


_opener = build_opener(_Stay)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body read as JSON; an empty object when it is none."""
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}


class Failed(Exception):
    """A check found something else than the contract says."""


class Skipped(Exception):
    """A check could not be made here; the message says why."""


@dataclass
class Partner:
    """One client at one door, and what its checks found out on the way."""

    url: str
    client_id: str
    client_secret: str
    agency: str
    procedure: str
    citizen: str
    token: str = ""
    known: dict[str, Any] = field(default_factory=dict)

    def call(
        self, method: str, path: str, *, body: object = None, headers: Headers | None = None, signed: bool = True
    ) -> Answer:
        """Make one call below the door's address."""
        sent = dict(headers or {})
        if signed and self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        request = Request(self.url + path, data=data, headers=sent, method=method)  # noqa: S310 - checked by main
        try:
            found = _opener.open(request, timeout=TIMEOUT_S)
        except HTTPError as refusal:
            found = refusal
        with found as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(int(answer.status or 0), headers, answer.read())

    def ask_token(self, *, secret: str | None = None, scope: str = "") -> Answer:
        """Ask for a token with HTTP Basic."""
        pair = ":".join(quote(part, safe="") for part in (self.client_id, secret or self.client_secret))
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.call("POST", "/oauth/token", body=urlencode(form).encode(), headers=headers, signed=False)

    def dossier(self, summary: str) -> dict[str, Any]:
        """Return the body of a dossier that the sandbox takes."""
        return {
            "procedure_code": self.procedure,
            "agency_code": self.agency,
            "channel": "online",
            "return_method": "online",
            "summary": summary,
            "applicant": _PERSON | {"id_number": self.citizen},
            "documents": self.papers(),
        }

    def papers(self) -> list[dict[str, Any]]:
        """Return a paper for each component that the procedure asks for."""
        asked = self.call("GET", f"/api/v1/procedures/{self.procedure}").json().get("components", [])
        return [{"component_code": one["code"], "paper": True} for one in asked if one.get("required")]


def expect(condition: object, message: str) -> None:
    """Fail a check with a message unless a condition holds."""
    if not condition:
        raise Failed(message)


def expect_problem(answer: Answer, status: int, *codes: str) -> None:
    """Fail unless an answer is a problem document (RFC 9457) of this status and one of these codes."""
    expect(answer.status == status, f"expected {status}, got {answer.status}")
    media_type = answer.headers.get("content-type", "")
    expect(media_type.startswith(PROBLEM), f"expected {PROBLEM}, got {media_type or 'no type'}")
    problem = answer.json()
    missing = {"type", "title", "status", "code"} - set(problem)
    expect(not missing, f"the problem document lacks {', '.join(sorted(missing))}")
    expect(not codes or problem["code"] in codes, f"expected code {' or '.join(codes)}, got {problem.get('code')}")


Check = Callable[[Partner], "str | None"]
CHECKS: list[tuple[str, str, Check]] = []
"""Name, what must hold, the check; they run in order, later ones use what earlier ones found."""


def check(name: str, promise: str) -> Callable[[Check], Check]:
    """Add a check to the list."""

    def add(function: Check) -> Check:
        CHECKS.append((name, promise, function))
        return function

    return add


@check("metadata", "RFC 8414: the door says where tokens come from, and its keys can be read")
def _metadata(partner: Partner) -> str:
    found = partner.call("GET", "/.well-known/oauth-authorization-server", signed=False).json()
    for name in ("issuer", "token_endpoint", "jwks_uri", "grant_types_supported"):
        expect(found.get(name), f"the metadata lacks {name}")
    expect("client_credentials" in found["grant_types_supported"], "client_credentials is not offered")
    keys = partner.call("GET", urlsplit(found["jwks_uri"]).path, signed=False).json().get("keys")
    expect(keys and all("kid" in key and "d" not in key for key in keys), "the key set has no public keys with kid")
    return f"{len(keys)} key(s)"


@check("token", "RFC 6749 §4.4, §5.1: id and secret give a bearer token that nobody may keep")
def _token(partner: Partner) -> str:
    answer = partner.ask_token()
    expect(answer.status == 200, f"expected 200, got {answer.status} {answer.json().get('code', '')}")
    given = answer.json()
    expect(given.get("token_type", "").lower() == "bearer", "token_type is not Bearer")
    expect("no-store" in answer.headers.get("cache-control", ""), "Cache-Control: no-store is missing")
    partner.token = given["access_token"]
    partner.known["scopes"] = set(given["scope"].split())
    return f"for {given['expires_in']} s: {given['scope']}"


@check("token.wrong_secret", "RFC 6749 §5.2: a wrong secret is invalid_client, 401")
def _wrong_secret(partner: Partner) -> None:
    answer = partner.ask_token(secret=secrets.token_urlsafe(32))
    expect(answer.status == 401, f"expected 401, got {answer.status}")
    expect(answer.json().get("error") == "invalid_client", "the member error is not invalid_client")
    expect("www-authenticate" in answer.headers, "WWW-Authenticate is missing")


@check("token.too_much", "RFC 6749 §5.2: a scope that was not granted is invalid_scope, 400")
def _too_much(partner: Partner) -> None:
    answer = partner.ask_token(scope="ops:act portal catalogue:write")
    expect(answer.status == 400, f"expected 400, got {answer.status}")
    expect(answer.json().get("error") == "invalid_scope", "the member error is not invalid_scope")


@check("token.needed", "RFC 6750: without a token, or with one that was changed, 401 and how to authenticate")
def _token_needed(partner: Partner) -> None:
    head, _, signature = partner.token.rpartition(".")
    changed = f"Bearer {head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    for headers in ({}, {"Authorization": changed}, {"Authorization": "Bearer nonsense"}):
        answer = partner.call("GET", "/api/v1/dossiers", headers=headers, signed=False)
        expect_problem(answer, 401)
        expect("www-authenticate" in answer.headers, "WWW-Authenticate is missing")


@check("contract", "OpenAPI 3.1 in one document; a known ETag gets 304 without a body")
def _contract(partner: Partner) -> str:
    answer = partner.call("GET", "/api/v1/openapi.json", signed=False)
    expect(str(answer.json().get("openapi", "")).startswith("3.1"), "no OpenAPI 3.1 document")
    tag = answer.headers.get("etag", "")
    again = partner.call("GET", "/api/v1/openapi.json", headers={"If-None-Match": tag}, signed=False)
    expect(again.status == 304 and not again.body, f"expected 304 without a body, got {again.status}")
    return f"{len(answer.json()['paths'])} paths"


@check("problems", "RFC 9457: a refusal names each field, in two languages, and never repeats what was sent")
def _problems(partner: Partner) -> None:
    body = partner.dossier("x") | {"channel": MARKER, "applicant": {"kind": "citizen", "name": MARKER * 40}}
    answer = partner.call("POST", "/api/v1/dossiers", body=body, headers=_key())
    expect_problem(answer, 422)
    expect(answer.json().get("errors") and answer.json().get("title_vi"), "errors or title_vi is missing")
    expect(MARKER not in answer.body.decode(), "what was sent stands in the answer")
    expect_problem(partner.call("GET", "/api/v1/no-such-address"), 404)


@check("keys", "a change needs an Idempotency-Key; with it, it is done once; another request with it is 409")
def _keys(partner: Partner) -> str:
    answer = partner.call("POST", "/api/v1/dossiers", body=partner.dossier("x"))
    expect_problem(answer, 400, "idempotency_key_missing")
    key, body, trace = _key(), partner.dossier("Kiểm tra kết nối"), secrets.token_hex(16)
    traced = {**key, "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    first = partner.call("POST", "/api/v1/dossiers", body=body, headers=traced)
    expect(first.status == 201, f"expected 201, got {first.status} {first.body[:300]!r}")
    second = partner.call("POST", "/api/v1/dossiers", body=body, headers=key)
    expect(second.status == 201 and second.json() == first.json(), "the second answer is another one")
    expect(second.headers.get("idempotency-replayed") == "true", "Idempotency-Replayed: true is missing")
    other = partner.call("POST", "/api/v1/dossiers", body=body | {"summary": "khác"}, headers=key)
    expect_problem(other, 409, "idempotency_key_reused")
    partner.known |= {"code": first.json()["code"], "trace": trace}
    return str(partner.known["code"])


@check("editing", "RFC 9110 §13: If-None-Match gets 304, an old If-Match 412 and nothing is done")
def _editing(partner: Partner) -> None:
    path = f"/api/v1/dossiers/{_code(partner)}"
    tag = partner.call("GET", path).headers.get("etag", "")
    expect(tag, "a dossier has no ETag")
    again = partner.call("GET", path, headers={"If-None-Match": tag})
    expect(again.status == 304, f"expected 304, got {again.status}")
    headers = _key() | {"If-Match": '"of-another-day"'}
    expect_problem(partner.call("POST", f"{path}/withdraw", body={"reason": "Hồ sơ thử kết nối"}, headers=headers), 412)


@check("feed", "the change feed has it, in order, once, and goes on from its cursor")
def _feed(partner: Partner) -> str:
    if "sync:read" not in partner.known["scopes"]:
        raise Skipped("this client lacks sync:read")
    entries = _entries(partner)
    mine = [one for one in entries if one["dossier_code"] == _code(partner)]
    expect(mine, f"nothing of the dossier came within {PATIENCE_S} s")
    expect(mine[0]["event_type"] == "intake.dossier.submitted.v1", "it does not begin with its submission")
    cursors = [one["cursor"] for one in entries]
    expect(len(set(cursors)) == len(cursors), "a change came twice")
    asked = urlencode({"limit": 1, "cursor": cursors[0], "agency": partner.agency})
    again = partner.call("GET", f"/api/v1/sync/changes?{asked}").json()["items"]
    expect(again[:1] == entries[1:2] or len(entries) == 1, "going on from a cursor gives something else")
    return f"{len(entries)} changes"


@check("trace", "W3C trace context: the call's trace id is found again on what came of it")
def _trace(partner: Partner) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = partner.call("GET", f"/api/v1/dossiers/{_code(partner)}/timeline")
        items = answer.json().get("items", [])
        if items:
            expect(items[0]["trace_id"] == partner.known["trace"], "its first event has another trace id")
            return str(partner.known["trace"])
        time.sleep(0.3)
    raise Failed(f"no timeline within {PATIENCE_S} s")


@check("rights", "what is not yours is 404 as if it were not there; what your scopes lack is 403")
def _rights(partner: Partner) -> None:
    for code in ("H99-260101-0001", _code(partner)[:-4] + "9999"):
        expect_problem(partner.call("GET", f"/api/v1/dossiers/{code}"), 404)
    if "ops:read" not in partner.known["scopes"]:
        expect_problem(partner.call("GET", "/api/v1/ops/overview"), 403)


@check("data_services", "what may be called can be asked for, and polling costs nothing: ETag and 304")
def _data_services(partner: Partner) -> str:
    answer = partner.call("GET", "/api/v1/data-services/allowedMethods")
    listed = answer.json().get("service") or []
    if answer.status != 200 or not listed:
        raise Skipped("no data service is granted to this client")
    paths = [
        f"/api/v1/data-services/{service['service_code']}{endpoint['path']}"
        for service in listed
        for endpoint in service.get("endpoint_list", [])
        if endpoint["method"] == "GET" and not {"{", "*"} & set(endpoint["path"])
    ]
    for path in paths:
        first = partner.call("GET", path)
        if first.status == 200:
            expect(first.headers.get("etag"), f"{path} has no ETag")
            again = partner.call("GET", path, headers={"If-None-Match": first.headers["etag"]})
            expect(again.status == 304, f"expected 304, got {again.status}")
            return path
    raise Skipped("no granted service has an address to poll")


@check("withdrawal", "what was submitted can be withdrawn, with a reason, once")
def _withdrawal(partner: Partner) -> None:
    path = f"/api/v1/dossiers/{_code(partner)}/withdraw"
    expect_problem(partner.call("POST", path, body={}, headers=_key()), 422)
    done = partner.call("POST", path, body={"reason": "Hồ sơ thử kết nối"}, headers=_key())
    if done.status == 409:
        raise Skipped("the sandbox's officials were faster: the dossier has gone on")
    expect(done.status == 200, f"expected 200, got {done.status}")
    expect_problem(partner.call("POST", path, body={"reason": "Rút thêm một lần nữa"}, headers=_key()), 409)


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def _code(partner: Partner) -> str:
    if code := partner.known.get("code"):
        return str(code)
    raise Skipped("no dossier could be submitted")


def _entries(partner: Partner) -> list[dict[str, Any]]:
    """Return the feed up to the dossier of this run."""
    entries, cursor, deadline = [], "", time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        asked = {"limit": 1000, "wait_s": 5, "agency": partner.agency} | ({"cursor": cursor} if cursor else {})
        page = partner.call("GET", "/api/v1/sync/changes?" + urlencode(asked)).json()
        entries += page.get("items", [])
        cursor = page.get("next_cursor", cursor)
        if any(one["dossier_code"] == _code(partner) for one in entries):
            break
    return entries


@dataclass
class Finding:
    """What came of one check: passed, failed or skipped, and why."""

    name: str
    outcome: str
    promise: str
    detail: str


def run(partner: Partner, wanted: list[str]) -> Iterator[Finding]:
    """Make the checks, one after the other; those that later ones stand on are always made."""
    for name, promise, function in CHECKS:
        if wanted and name not in wanted and name not in {"token", "keys"}:
            continue
        try:
            yield Finding(name, "passed", promise, function(partner) or "")
        except (Skipped, Failed) as reason:
            yield Finding(name, type(reason).__name__.lower(), promise, str(reason))
        except (URLError, OSError, KeyError, TypeError, ValueError) as reason:
            yield Finding(name, "failed", promise, f"{type(reason).__name__}: {reason}")


def main() -> int:
    """Read the command line, make the checks, show and write what they found."""
    names = ", ".join(name for name, _, _ in CHECKS)
    parser = argparse.ArgumentParser(description=f"Checks a connection to Một Cửa from a partner's side: {names}.")
    parser.add_argument("--url", required=True, help="address of the door, as https://motcua.example")
    parser.add_argument("--client-id", required=True, help="a client of the sandbox")
    parser.add_argument("--secret", default="", help="its secret; better in the environment as MOTCUA_CLIENT_SECRET")
    parser.add_argument("--agency", default="H32.14.61", help="the sandbox's agency (default %(default)s)")
    parser.add_argument("--procedure", default="1.004873", help="a procedure that it offers (default %(default)s)")
    parser.add_argument("--citizen", default="056000000007", help="a test identity (default %(default)s)")
    parser.add_argument("--only", action="append", default=[], metavar="CHECK", help="make only this one; repeatable")
    parser.add_argument("--json", metavar="FILE", help="write the findings to a file as well")
    asked = parser.parse_args()
    secret = asked.secret or os.environ.get("MOTCUA_CLIENT_SECRET", "")
    if not secret or urlsplit(asked.url).scheme not in {"http", "https"}:
        parser.error("give an http(s) address, and the secret in MOTCUA_CLIENT_SECRET")
    partner = Partner(asked.url.rstrip("/"), asked.client_id, secret, asked.agency, asked.procedure, asked.citizen)
    findings: list[Finding] = []
    for finding in run(partner, asked.only):
        findings.append(finding)
        print(f"{finding.outcome:8} {finding.name:20} {finding.detail}", flush=True)
    failed = sum(one.outcome == "failed" for one in findings)
    print(f"{len(findings)} checks, {failed} failed")
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as file:  # noqa: PTH123 - a script of one file
            json.dump([asdict(finding) for finding in findings], file, ensure_ascii=False, indent=1)
    return 1 if failed or not findings else 0


if __name__ == "__main__":
    sys.exit(main())
