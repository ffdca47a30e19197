"""Fetching the files of a dossier born on the portal: from the portal's own hosts alone, and believed by their hash."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit
from uuid import UUID, uuid5

import aiohttp

from gateway.errors import PortalFileAway, PortalRefused
from gateway.portal.client import bounded
from gateway.portal.inbound import PortalDocument, PortalDossier
from gateway.portal.port import PortalUnclear
from shared.errors import FieldError

FILE_BYTES_MAX = 20 * 1024 * 1024
"""As intake takes them."""
FILES_AT_ONCE = 4
_IDS = UUID("5f1c7f0e-6d8e-4a52-9b0a-6a4b1a7c2d11")
_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Paper:
    """One of TaiLieuNop with a file to be fetched."""

    place: int
    document: PortalDocument
    id: UUID
    """What intake keeps it under: the same for the same paper of the same dossier, however often it comes."""

    @property
    def field(self) -> str:
        """Return where the portal wrote it."""
        return f"TaiLieuNop.{self.place}"


def papers_of(dossier: PortalDossier) -> Sequence[Paper]:
    """Return the papers that have a file; one that is there twice is two papers."""
    found, seen = [], dict[tuple[str, str], int]()
    for place, document in enumerate(dossier.TaiLieuNop):
        if document.DuongDanTaiTepTin:
            key = (document.MaThanhPhanHoSo, document.HashTepTin)
            seen[key] = seen.get(key, 0) + 1
            name = "\n".join([dossier.MaHoSoDVCQG, *key, str(seen[key])])
            found.append(Paper(place, document, uuid5(_IDS, name)))
    return found


class PortalFiles:
    """Fetches files; each is bounded in size and time, a redirect is not followed."""

    def __init__(self, http: aiohttp.ClientSession, origins: Iterable[str], *, timeout_s: float) -> None:
        self._http = http
        self._origins = frozenset(_origin(urlsplit(one.strip())) for one in origins if one.strip())
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=5)
        self._free = asyncio.Semaphore(FILES_AT_ONCE)

    def check(self, papers: Sequence[Paper]) -> None:
        """Raise PortalRefused that names every file with an address that is not the portal's own."""
        wrong = [
            FieldError(
                f"{paper.field}.DuongDanTaiTepTin",
                "Send an address at one of the portal's hosts that this province has agreed on.",
                "Đường dẫn tệp không thuộc máy chủ của Cổng DVCQG đã thống nhất.",
            )
            for paper in papers
            if not self._is_allowed(paper.document.DuongDanTaiTepTin)
        ]
        if wrong:
            raise PortalRefused("See errors.", errors=wrong)

    async def fetch(self, paper: Paper) -> bytes:
        """Return a file whose hash is the one announced.

        Raises PortalFileAway while it cannot be had, PortalRefused for one that is too large or is another file.
        """
        async with self._free:
            content = await self._content(paper)
        if hashlib.sha256(content).hexdigest() != paper.document.HashTepTin:
            wrong = "This file's SHA-256 is not HashTepTin: hand the dossier over again with the right one."
            raise refused(paper, wrong, "Mã băm của tệp không khớp HashTepTin.", name="HashTepTin")
        return content

    async def _content(self, paper: Paper) -> bytes:
        url = paper.document.DuongDanTaiTepTin
        try:
            async with self._http.get(url, allow_redirects=False, timeout=self._timeout) as answer:
                if answer.status != HTTPStatus.OK:
                    raise _away(paper, f"HTTP {answer.status}")
                if (answer.content_length or 0) > FILE_BYTES_MAX:
                    raise _too_large(paper)
                return await bounded(answer, FILE_BYTES_MAX)
        except PortalUnclear as problem:
            raise _too_large(paper) from problem
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            raise _away(paper, type(problem).__name__) from problem

    def _is_allowed(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            return parts.username is None and parts.password is None and _origin(parts) in self._origins
        except ValueError:
            return False


def refused(paper: Paper, message: str, message_vi: str, *, name: str = "DuongDanTaiTepTin") -> PortalRefused:
    """Return the definite refusal of a dossier because of one of its files."""
    return PortalRefused("See errors.", errors=[FieldError(f"{paper.field}.{name}", message, message_vi)])


def _too_large(paper: Paper) -> PortalRefused:
    return refused(paper, f"Send files of at most {FILE_BYTES_MAX} bytes.", "Tệp vượt quá dung lượng cho phép.")


def _away(paper: Paper, reason: str) -> PortalFileAway:
    return PortalFileAway(f"{paper.field}: {reason}.", retry_after_s=5)


def _origin(parts: SplitResult) -> Origin:
    """Return scheme, host and port. Raises ValueError for what is no address of HTTP."""
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no address of HTTP")
    return (parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])
