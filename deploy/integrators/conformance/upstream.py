"""A partner's service that is to become a data service, held against its own contract.

Only what changes nothing is called, and operations that the contract marks `x-safe-to-repeat`, with its own examples.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx
import jsonschema_rs

from deploy.integrators.conformance.findings import Finding

TIMEOUT_S = 15
SLOW_S = 2.0
BYTES_MAX = 10 * 1024 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE_TO_REPEAT = "x-safe-to-repeat"
HTTP_OK, NOT_MODIFIED, NOT_FOUND = 200, 304, 404
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Correlation-Id": "conformance"}

Contract = Mapping[str, Any]


class Unusable(Exception):
    """The contract cannot be used; the message says why."""


def check_upstream(base_url: str, contract: Contract, *, http: httpx.Client) -> Iterator[Finding]:
    """Call a service as its contract says; raises Unusable."""
    if not str(contract.get("openapi", "")).startswith("3."):
        raise Unusable("This is no OpenAPI 3 document.")
    yield _transport(base_url)
    reads = list(_reads(contract))
    if not reads:
        yield Finding("reads", "skipped", "reading works", "no GET whose parameters all have examples")
    for path, operation in reads:
        yield from _check_read(http, base_url, path, operation, contract)
    yield _unknown(http, base_url)
    for path, operation in _repeatable(contract):
        yield _check_repeat(http, base_url, path, operation)


def _transport(base_url: str) -> Finding:
    place = urlsplit(base_url)
    good = place.scheme == "https" or place.hostname in LOOPBACK
    return Finding("transport", "passed" if good else "failed", "it is reached by https", place.scheme)


def _reads(contract: Contract) -> Iterator[tuple[str, Contract]]:
    """Yield the readings that can be made: every required parameter has an example."""
    for path, item in contract.get("paths", {}).items():
        operation = item.get("get")
        filled = _filled(path, operation, item) if operation else None
        if operation and filled:
            yield filled, operation


def _repeatable(contract: Contract) -> Iterator[tuple[str, Contract]]:
    for path, item in contract.get("paths", {}).items():
        operation = item.get("post")
        filled = _filled(path, operation, item) if operation and operation.get(SAFE_TO_REPEAT) else None
        if operation and filled and _body_example(operation) is not None:
            yield filled, operation


def _filled(path: str, operation: Contract, item: Contract) -> str | None:
    query = []
    for parameter in [*item.get("parameters", ()), *operation.get("parameters", ())]:
        example = _example(parameter)
        if example is None:
            if parameter.get("required"):
                return None
        elif parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(example), safe=""))
        elif parameter["in"] == "query" and parameter.get("required"):
            query.append(f"{quote(parameter['name'])}={quote(str(example), safe='')}")
    if re.search(r"[{}]", path):
        return None
    return f"{path}?{'&'.join(query)}" if query else path


def _example(holder: Contract) -> Any:  # noqa: ANN401 - any JSON value
    """Return the example of a parameter or a media type, wherever OpenAPI lets it stand; None without."""
    if "example" in holder:
        return holder["example"]
    named = next(iter(holder.get("examples", {}).values()), None) if isinstance(holder.get("examples"), dict) else None
    if named is not None:
        return named.get("value")
    schema = holder.get("schema", {})
    return schema.get("example", next(iter(schema.get("examples", [])), None))


def _body_example(operation: Contract) -> Any:  # noqa: ANN401 - any JSON value
    return _example(operation.get("requestBody", {}).get("content", {}).get("application/json", {}))


def _check_read(
    http: httpx.Client, base_url: str, path: str, operation: Contract, contract: Contract
) -> Iterator[Finding]:
    name = operation.get("operationId") or path
    answer, seconds = _get(http, base_url + path, {})
    if isinstance(answer, str):
        yield Finding(name, "failed", "it answers", answer)
        return
    yield _documented(name, answer, operation, contract)
    yield Finding(
        f"{name}.pace", "passed" if seconds < SLOW_S else "advised", f"within {SLOW_S:g} s", f"{seconds:.2f} s"
    )
    traced, _ = _get(http, base_url + path, TRACE)
    same = not isinstance(traced, str) and traced.status_code == answer.status_code
    yield Finding(f"{name}.trace", "passed" if same else "failed", "trace headers change nothing")
    yield _conditional(http, base_url + path, name, answer)


def _documented(name: str, answer: httpx.Response, operation: Contract, contract: Contract) -> Finding:
    promise = "status, type and content are as the contract says"
    responses = operation.get("responses", {})
    described = responses.get(str(answer.status_code)) or responses.get(f"{answer.status_code // 100}XX")
    if described is None:
        return Finding(name, "failed", promise, f"status {answer.status_code} is not in the contract")
    content = described.get("content", {})
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    if content and media_type not in content:
        return Finding(name, "failed", promise, f"type {media_type or 'missing'} is not in the contract")
    schema = content.get(media_type, {}).get("schema")
    if schema is None or "json" not in media_type:
        return Finding(name, "passed", promise, str(answer.status_code))
    whole = {**schema, "components": contract.get("components", {})}
    wrong = next(jsonschema_rs.validator_for(whole).iter_errors(answer.json()), None)
    where = "/".join(map(str, wrong.instance_path)) if wrong else ""
    # What the answer holds may be personal: only the place is told.
    return Finding(name, "failed" if wrong else "passed", promise, f"at /{where}" if wrong else str(answer.status_code))


def _conditional(http: httpx.Client, url: str, name: str, answer: httpx.Response) -> Finding:
    promise = "ETag and 304, so that polling costs little"
    tag = answer.headers.get("etag")
    if not tag:
        return Finding(f"{name}.polling", "advised", promise, "no ETag: the door will make one of its own")
    again, _ = _get(http, url, {"If-None-Match": tag})
    good = not isinstance(again, str) and again.status_code == NOT_MODIFIED
    return Finding(f"{name}.polling", "passed" if good else "failed", promise)


def _unknown(http: httpx.Client, base_url: str) -> Finding:
    answer, _ = _get(http, f"{base_url}/no-such-address-{uuid4().hex}", {})
    good = not isinstance(answer, str) and answer.status_code == NOT_FOUND
    told = answer if isinstance(answer, str) else str(answer.status_code)
    return Finding("unknown_address", "passed" if good else "failed", "an unknown address is 404", told)


def _check_repeat(http: httpx.Client, base_url: str, path: str, operation: Contract) -> Finding:
    """Send the same change twice under one key: the second must answer as the first, and do nothing."""
    name, promise = f"{operation.get('operationId') or path}.repeat", "the same key is one effect, and the same answer"
    headers = {"Idempotency-Key": f"conformance-{uuid4().hex}", "Content-Type": "application/json"}
    body = json.dumps(_body_example(operation)).encode()
    try:
        first, second = (http.post(base_url + path, headers=headers, content=body, timeout=TIMEOUT_S) for _ in range(2))
    except httpx.HTTPError as problem:
        return Finding(name, "failed", promise, type(problem).__name__)
    same = (first.status_code, first.content) == (second.status_code, second.content) and first.is_success
    return Finding(name, "passed" if same else "failed", promise, f"{first.status_code}, then {second.status_code}")


def _get(http: httpx.Client, url: str, headers: Mapping[str, str]) -> tuple[httpx.Response | str, float]:
    try:
        with http.stream("GET", url, headers=dict(headers), timeout=TIMEOUT_S) as answer:
            size, chunks = 0, []
            for chunk in answer.iter_bytes():
                size += len(chunk)
                if size > BYTES_MAX:
                    return f"more than {BYTES_MAX} bytes", 0.0
                chunks.append(chunk)
            whole = httpx.Response(answer.status_code, headers=_plain(answer.headers), content=b"".join(chunks))
    except httpx.HTTPError as problem:
        return type(problem).__name__, 0.0
    return whole, answer.elapsed.total_seconds()


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Return headers without those that described how the content travelled."""
    travel = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in headers.multi_items() if name not in travel]
