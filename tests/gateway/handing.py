"""A gateway before a real intake, with a line between them that breaks, and a host of files that misbehaves."""

import hashlib
from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.db import Database
from tests.gateway.visitor import Visitor

PDF = b"%PDF-1.7\nto khai\n%%EOF\n"
OTHER_PDF = b"%PDF-1.7\ngiay bao tu\n%%EOF\n"


class Line:
    """Passes calls on to intake until it is cut: at the n-th call, before it arrives or before its answer is back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.calls: list[tuple[str, str]] = []
        self._cut: tuple[int, bool] | None = None

    def cut(self, nth: int, *, after: bool) -> None:
        """Break once, at the n-th call from now."""
        self.calls.clear()
        self._cut = (nth, after)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or break."""
        if scope["type"] != "http" or scope["path"].startswith("/agencies/H"):
            await self.app(scope, receive, send)
            return
        self.calls.append((scope["method"], scope["path"]))
        broken = self._cut is not None and len(self.calls) == self._cut[0]
        if not broken:
            await self.app(scope, receive, send)
            return
        after = self._cut is not None and self._cut[1]
        self._cut = None
        if after:
            await self.app(scope, receive, _nowhere)
        await Response("", 503)(scope, receive, send)


async def _nowhere(_: Any) -> None:
    pass


class FileHost:
    """Gives out files by name; `trouble` says what becomes of one."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.trouble: dict[str, Response] = {}
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give a file, or what stands in its way."""
        name = Request(scope).url.path.lstrip("/")
        self.asked.append(name)
        found = self.trouble.get(name) or Response(self.files.get(name, b""), 200 if name in self.files else 404)
        await found(scope, receive, send)


def elsewhere() -> Response:
    return RedirectResponse("http://169.254.169.254/latest/meta-data/")


class Handing:
    """The portal hands dossiers over; what intake made of them is read in its database."""

    def __init__(self, visitor: Visitor, intake: Database, host: FileHost, host_url: str) -> None:
        self.visitor = visitor
        self.intake = intake
        self.host = host
        self.host_url = host_url

    def dossier(self, number: str, files: Mapping[str, bytes], **changes: Any) -> dict[str, Any]:
        """Return a dossier whose components are these files, put on the host."""
        self.host.files |= {f"{number}-{component}": content for component, content in files.items()}
        return {
            "MaHoSoDVCQG": number,
            "MaTTHC": "1.000656",
            "MaDonVi": "H32.14.21",
            "ChuHoSo": "Nguyễn Thị An",
            "SoGiayToChuHoSo": "056190001234",
            "LoaiDoiTuong": "1",
            "SoDienThoai": "0905123456",
            "NgayNopHoSo": "20260407090533",
            "TaiLieuNop": [
                {
                    "MaThanhPhanHoSo": component,
                    "TenTepDinhKem": f"{component} tờ khai.pdf",
                    "DuongDanTaiTepTin": f"{self.host_url}/{number}-{component}",
                    "HashTepTin": hashlib.sha256(content).hexdigest(),
                }
                for component, content in files.items()
            ],
            **changes,
        }

    async def hand_over(self, dossier: Mapping[str, Any]) -> httpx.Response:
        """Hand a dossier over once."""
        return await self.visitor.post("/api/v1/portal/dossiers", who="national-portal", json=dossier)

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return rows of intake's database."""
        async with self.intake.session() as session:
            found = list((await session.execute(text(statement), values)).mappings())
            await session.commit()
            return found

    async def dossiers(self, number: str) -> list[str]:
        """Return the codes of the dossiers made of a number."""
        rows = await self.rows("SELECT code FROM dossier WHERE origin_reference = :number", number=number)
        return [row["code"] for row in rows]

    async def papers(self, code: str | None) -> list[Any]:
        """Return the papers of a dossier, or those that no dossier has."""
        condition = "dossier_code = :code" if code else "dossier_code IS NULL"
        return await self.rows(
            f"SELECT * FROM document WHERE {condition} ORDER BY component_code, name",
            **({"code": code} if code else {}),
        )
