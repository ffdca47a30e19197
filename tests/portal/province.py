"""The province's gateway as the portal's calls meet it: a real HTTP server whose answers a test decides."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import orjson

from deploy.portal.payment import hashes
from tests.portal.process import SECRET

CALLBACK = "/api/v1/payments/callbacks/national"
SUBMISSION = "/api/v1/portal/dossiers"


@dataclass(frozen=True, slots=True)
class Heard:
    """One call that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return orjson.loads(self.body)


Answer = Callable[[Heard], tuple[int, object]]


def confirmed(heard: Heard) -> tuple[int, object]:
    """Reply to a CONFIRM as a good payment service does."""
    message = heard.json
    reply = {
        "MaLoi": "00",
        "MoTaLoi": "Thành công",
        "MaDoiTac": message["MaDoiTac"],
        "MaThamChieu": message["MaThamChieu"],
        "ThoiGianGD": message["ThoiGianGD"],
    }
    return 200, {**reply, "MaXacThuc": hashes.authentication_code(reply, hashes.REPLY, SECRET)}


class Province:
    """Hears calls, answers them as told, and keeps them in order; `first` answers come before the usual ones."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.first: list[Answer] = []
        self.usual: dict[str, Answer] = {}
        self._lock = threading.Lock()
        province = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer = province.answer(Heard(self.path, headers, self.rfile.read(length)))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(orjson.dumps(answer))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that is overridden
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.forget()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        """Start anew: nothing heard, every call is answered well."""
        self.heard.clear()
        self.first.clear()
        self.usual = {
            CALLBACK: confirmed,
            SUBMISSION: lambda heard: (201, {"code": "H32.14-261122-0001", "echo": heard.json["MaHoSoDVCQG"]}),
            "/oauth/token": _token,
        }

    def at(self, path: str) -> list[Heard]:
        return [heard for heard in self.heard if heard.path == path]

    def answer(self, heard: Heard) -> tuple[int, object]:
        with self._lock:
            self.heard.append(heard)
            answer = self.first.pop(0) if self.first and heard.path != "/oauth/token" else self.usual[heard.path]
        return answer(heard)


def _token(heard: Heard) -> tuple[int, object]:
    form = parse_qs(heard.body.decode())
    known = form == {
        "grant_type": ["client_credentials"],
        "client_id": ["national-portal"],
        "client_secret": ["client-secret"],
    }
    return (200, {"access_token": "a-token", "expires_in": 300}) if known else (401, {"error": "invalid_client"})
