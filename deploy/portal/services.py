"""The services behind /integration and /share, by the portal's names for them."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from deploy.portal import exchange
from deploy.portal.catalogue import Catalogue
from deploy.portal.exchange import Answer, Call, Entry
from deploy.portal.faults import Fault
from deploy.portal.receiving import receive_dossiers, receive_progress, text_of
from shared.clock import VN

LISTED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call brings, and what is needed to serve it."""

    envelope: Mapping[str, object]
    rows: Sequence[object]
    faults: Mapping[int, Fault]
    catalogue: Catalogue
    batch_max: int


Service = Callable[[sqlite3.Connection, Call, Asked], Answer]


def _refusal_of_batch(asked: Asked) -> Answer | None:
    if not asked.rows:
        return Answer(exchange.MALFORMED, "data phải là danh sách có ít nhất một dòng")
    if len(asked.rows) > asked.batch_max:
        return Answer(exchange.MALFORMED, f"data có quá {asked.batch_max} dòng")
    return None


def push_dossiers(db: sqlite3.Connection, call: Call, asked: Asked) -> Answer:
    """DongBoHoSoMC: isUpdating "True" or "False", data: [HoSo]."""
    updating = asked.envelope.get("isUpdating")
    if updating not in ("True", "False"):
        return Answer(exchange.MALFORMED, 'isUpdating phải là chuỗi "True" hoặc "False"')
    return _refusal_of_batch(asked) or receive_dossiers(db, call, asked.rows, asked.faults, updating=updating == "True")


def push_progress(db: sqlite3.Connection, call: Call, asked: Asked) -> Answer:
    """CapNhatTienDoHoSoMC: data: [TienDo]."""
    return _refusal_of_batch(asked) or receive_progress(db, call, asked.rows, asked.faults)


def look_up(db: sqlite3.Connection, call: Call, asked: Asked) -> Answer:
    """TraCuuHoSo: mahoso → the latest HoSo, or no row if nothing was told of it."""
    code = text_of(asked.envelope, "mahoso")
    if not code:
        return Answer(exchange.MALFORMED, "Thiếu mahoso")
    found = db.execute(
        "select received.body from dossier join received on received.seq = dossier.seq where dossier.code = ?", (code,)
    ).fetchone()
    outcome = "found" if found else "unknown"
    exchange.record_rows(db, call, [Entry(code, None, outcome, exchange.OK, "", b"")])
    return Answer(exchange.OK, "Thành công", [orjson.loads(found["body"])] if found else [])


def list_held(db: sqlite3.Connection, call: Call, asked: Asked) -> Answer:
    """LayDanhSachHoSo (assumed): sauMaHoSo, soLuong → what was told and what was submitted here, by code or number.

    Told: MaHoSo, TrangThaiHoSo and LichSuTrangThai (statuses in order). Submitted: MaHoSoDVCQG, status 1, NgayCapNhat.
    """
    del call
    wanted = text_of(asked.envelope, "soLuong")
    most = min(int(wanted), LISTED_MAX) if wanted.isdecimal() else LISTED_MAX
    found = db.execute(
        "select 'MaHoSo' as name, d.code as code, d.status as status, (select group_concat(told) from"
        " (select s.status as told from status as s where s.dossier = d.code order by s.seq)) as history"
        " from dossier as d where d.code > :after and d.status is not null"
        " union all select 'MaHoSoDVCQG', number, '1', submitted_at from submission where number > :after"
        " order by code limit :most",
        {"after": text_of(asked.envelope, "sauMaHoSo"), "most": most},
    )
    return Answer(exchange.OK, "Thành công", [_listed(row) for row in found])


def _listed(row: sqlite3.Row) -> dict[str, object]:
    listed = {row["name"]: row["code"], "TrangThaiHoSo": row["status"]}
    if row["name"] == "MaHoSo":
        return listed | {"LichSuTrangThai": row["history"]}
    at = datetime.fromisoformat(row["history"]).astimezone(VN)
    return listed | {"NgayCapNhat": f"{at:%Y%m%d%H%M%S}"}


def _catalogue(choose: Callable[[Catalogue, Mapping[str, object]], list[dict[str, object]]]) -> Service:
    def serve(_db: sqlite3.Connection, call: Call, asked: Asked) -> Answer:
        rows = choose(asked.catalogue, asked.envelope)
        half = "half_list" in (call.fault or "").split(",")
        return Answer(exchange.OK, "Thành công", rows[: len(rows) // 2] if half else rows)

    return serve


INTEGRATION: dict[str, Service] = {
    "DongBoHoSoMC": push_dossiers,
    "CapNhatTienDoHoSoMC": push_progress,
    "TraCuuHoSo": look_up,
    "LayDanhSachHoSo": list_held,
}

SHARE: dict[str, Service] = {
    "LayThuTuc": _catalogue(lambda catalogue, envelope: catalogue.procedure(text_of(envelope, "maTTHC"))),
    "LayDanhSachTTHC": _catalogue(lambda catalogue, _: catalogue.procedures),
    "LayDanhMucLinhVuc": _catalogue(lambda catalogue, _: catalogue.fields),
    "LayDanhMucCoQuan": _catalogue(lambda catalogue, _: catalogue.agencies),
}
