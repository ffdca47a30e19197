"""The port to the national portal: what is asked of it and what it may answer, whichever dialect it speaks.

Our canonical words are HoSo and TienDo of the legacy API (see messages); an adapter turns them into its dialect's and
back. An answer is believed only when it is definite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.errors import TransientError

EXISTS_WORDS = "đã tồn tại"

Words = dict[str, Any]
"""One row in the portal's words."""


class PortalUnclear(TransientError):
    """The portal gave no definite answer: whether it did what was asked is unknown."""


class PortalSaidNo(TransientError):
    """The portal refused the whole call, definitely."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.exists = EXISTS_WORDS in message.lower()


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The portal's answer to one dossier of a call."""

    accepted: bool
    exists: bool
    """Refused because the portal has the dossier already: it must be sent as an update."""
    reason: str
    again_soon: bool = False
    """Refused together with others: alone it may be taken."""


class Portal(Protocol):
    """The national portal, in one of its dialects. Every call may raise PortalUnclear or PortalSaidNo."""

    shows: frozenset[str] | None
    """Fields of HoSo that look_up gives back as they were told; None: all. Only these are compared."""

    async def send_dossiers(self, messages: Sequence[Words], *, updating: bool) -> dict[str, RowAnswer]:
        """Tell dossiers (HoSo); return the answer for each code the portal answered for."""

    async def send_progress(self, messages: Sequence[Words]) -> dict[str, RowAnswer]:
        """Tell progress (TienDo); answers as send_dossiers."""

    async def look_up(self, code: str) -> Words | None:
        """Return the HoSo that the portal holds of a dossier, None when it definitely has none."""

    async def list_held(self, *, after: str = "", limit: int = 1000) -> Sequence[Words]:
        """Return {MaHoSo, TrangThaiHoSo} of the dossiers that the portal holds of us, by code, those behind `after`.

        Where the portal gives them: LichSuTrangThai, the statuses in order, joined by commas; and rows with MaHoSoDVCQG
        in place of MaHoSo, for what was submitted there.
        """

    async def list_catalogue(self, name: str) -> Sequence[Words]:
        """Return a whole list of the portal's catalogue (LayDanhSachTTHC, LayDanhMucLinhVuc, …)."""

    async def find_procedure(self, code: str) -> Words | None:
        """Return a procedure with its details (LayThuTuc), None when the portal definitely has none."""
