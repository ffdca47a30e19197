"""Load from outside Python: Debian's wrk with a script that gives every request its own Idempotency-Key."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

_POST = """
wrk.method = "POST"
local body = %s
local run, thread, n = "%s", 0, 0
function setup(t) t:set("id", thread); thread = thread + 1 end
function request()
  n = n + 1
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "%s"
  wrk.headers["Idempotency-Key"] = run .. "-" .. id .. "-" .. n
  return wrk.format(nil, nil, nil, body)
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk found."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int
    """Answers that were not 2xx or 3xx, and connections that failed."""
    requests: int = 0


async def post(url: str, body: object, *, authorization: str, connections: int, seconds: int) -> Load:
    """POST a body again and again, each time under a new key."""
    script = _POST % (json.dumps(json.dumps(body)), uuid4().hex, authorization)
    return await _run(url, script, connections, seconds)


async def get(
    url: str, *, authorization: str, connections: int, seconds: int, headers: Mapping[str, str] | None = None
) -> Load:
    """GET again and again."""
    given = {"Authorization": authorization, **(headers or {})}
    script = "\n".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in given.items())
    return await _run(url, script, connections, seconds)


async def _run(url: str, script: str, connections: int, seconds: int) -> Load:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "load.lua"
        path.write_text(script)
        process = await asyncio.create_subprocess_exec(
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            str(path),
            url,
            stdout=asyncio.subprocess.PIPE,
        )
        output = (await process.communicate())[0].decode()
    refused = sum(
        int(found)
        for found in re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", output)
    )
    return Load(
        _figure(r"Requests/sec:\s+([\d.]+)", output),
        _latency("50%", output),
        _latency("99%", output),
        refused,
        int(_figure(r"(\d+) requests in", output)),
    )


def _figure(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if found is None:
        raise RuntimeError(f"wrk said: {output}")
    return float(found.group(1))


def _latency(share: str, output: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", output)
    if found is None:
        return 0.0
    return float(found.group(1)) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found.group(2)]
