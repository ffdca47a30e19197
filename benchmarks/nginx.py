"""Debian's nginx, twice: an upstream that answers at once, and a proxy before it, the ceiling of all proxies."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local import packages, ports

NEED = packages.Need("nginx-light", lambda: shutil.which("nginx"))
ANSWER_BYTES = 1_800
START_S = 15
_CONF = """
daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}.log crit;
events {{ worker_connections 2048; }}
http {{
    access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy; fastcgi_temp_path {folder}/{name}-f; uwsgi_temp_path {folder}/{name}-u;
    scgi_temp_path {folder}/{name}-s; default_type application/json;
    {servers}
}}
"""
_UPSTREAM = """
    server {{ listen 127.0.0.1:{port} backlog=4096;
        location /kept/ {{ add_header Cache-Control "max-age=3600"; add_header ETag '"v1"'; return 200 '{answer}'; }}
        location / {{ add_header Cache-Control "no-store"; return 200 '{answer}'; }}
    }}
"""
_PROXY = """
    upstream behind {{ server 127.0.0.1:{behind}; keepalive 64; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://behind; }}
    }}
"""


@asynccontextmanager
async def upstream_and_proxy(folder: Path) -> AsyncIterator[tuple[str, str, int]]:
    """Run both; yield their URLs, and the process id of the proxy."""
    chosen = ports.choose(folder / "nginx-ports.json", ["upstream", "proxy"])
    answer = '{"records":["' + "x" * (ANSWER_BYTES - 15) + '"]}'
    behind = _UPSTREAM.format(port=chosen["upstream"], answer=answer)
    before = _PROXY.format(port=chosen["proxy"], behind=chosen["upstream"])
    first = await _start(folder, "upstream", behind)
    try:
        second = await _start(folder, "proxy", before)
        try:
            for port in chosen.values():
                await _listens(port)
            yield f"http://127.0.0.1:{chosen['upstream']}", f"http://127.0.0.1:{chosen['proxy']}", second.pid
        finally:
            second.terminate()
            await second.wait()
    finally:
        first.terminate()
        await first.wait()


async def _start(folder: Path, name: str, servers: str) -> asyncio.subprocess.Process:
    path = folder / f"{name}.conf"
    path.write_text(_CONF.format(folder=folder, name=name, servers=servers))
    return await asyncio.create_subprocess_exec("nginx", "-e", f"{folder}/{name}.log", "-c", str(path))


async def _listens(port: int) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
