"""What the portal does with what a province tells it: HoSo and TienDo, judged row by row, kept in bulk.

A status is told by DongBoHoSoMC (TrangThaiHoSo). A TienDo explains a status that was told, and carries the moment
at which it was reached; it moves nothing.
"""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from deploy.portal import exchange
from deploy.portal.exchange import Answer, Call, Entry
from deploy.portal.faults import Fault
from deploy.portal.statuses import ACCEPTANCE, in_words, may_follow
from deploy.portal.words import complaints_about_hoso, complaints_about_tien_do

Row = Mapping[str, object]
COMPLAINTS_MAX = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a row: an outcome for the record, a code and words for the province."""

    outcome: str
    code: int
    message: str


TAKEN = Verdict("taken", exchange.OK, "Đồng bộ hồ sơ thành công")
CORRECTED = Verdict("corrected", exchange.OK, "Đồng bộ hồ sơ thành công (cập nhật thông tin)")
RESENT = Verdict("duplicate", exchange.OK, "Đồng bộ hồ sơ thành công (đã nhận trước đó)")
EXISTS = Verdict("exists", exchange.EXISTS, "Hồ sơ đã tồn tại")
UNKNOWN = Verdict("violation", exchange.UNKNOWN_DOSSIER, "Hồ sơ chưa có trên Cổng")
REFUSED = Verdict("refused", exchange.REFUSED, "Cổng từ chối hồ sơ này")
NO_OBJECT = Verdict("violation", exchange.INVALID, "Mỗi dòng dữ liệu phải là một đối tượng")
PROGRESS_TAKEN = Verdict("taken", exchange.OK, "Cập nhật tiến độ thành công")
PROGRESS_RESENT = Verdict("duplicate", exchange.OK, "Cập nhật tiến độ thành công (đã nhận trước đó)")


@dataclass(slots=True)
class Held:
    """What the portal holds of a dossier; without a status it knows the code from elsewhere only."""

    status: str | None = None
    accepted: bool = False
    digest: bytes | None = None
    seq: int | None = None


@dataclass(slots=True)
class Dossiers:
    """The dossiers that a batch is about, as they stand while its rows are taken one after the other."""

    held: dict[str, Held]
    changed: set[str] = field(default_factory=set)
    told: list[tuple[int, str, str]] = field(default_factory=list)
    """(seq, dossier, status) of every status that was told."""

    def take(self, seq: int, code: str, status: str, digest: bytes) -> None:
        """Let a dossier stand where a HoSo says."""
        before = self.held.get(code, Held())
        self.held[code] = Held(status, before.accepted or status == ACCEPTANCE, digest, seq)
        self.changed.add(code)
        self.told.append((seq, code, status))

    def correct(self, seq: int, code: str, digest: bytes) -> None:
        """Hold a dossier's newer words; it stays where it stands."""
        held = self.held[code]
        self.held[code] = Held(held.status, held.accepted, digest, seq)
        self.changed.add(code)

    def know(self, code: str) -> None:
        """Know a dossier by its code alone, as if another system had told it."""
        if code and code not in self.held:
            self.held[code] = Held()
            self.changed.add(code)


def receive_dossiers(
    db: sqlite3.Connection, call: Call, rows: Sequence[object], faults: Mapping[int, Fault], *, updating: bool
) -> Answer:
    """Take a batch of HoSo; each row is judged on its own and answered in its place."""
    dossiers = Dossiers(_held(db, rows))
    entries = [
        _receive_dossier(dossiers, call.seq + 1 + index, row, faults.get(index), updating=updating)
        for index, row in enumerate(rows)
    ]
    exchange.record_rows(db, call, entries)
    _keep(db, dossiers, call.received_at)
    return Answer(exchange.OK, "Đồng bộ hồ sơ thành công", [_answered(entry) for entry in entries])


def _receive_dossier(dossiers: Dossiers, seq: int, row: object, fault: Fault | None, *, updating: bool) -> Entry:
    if not isinstance(row, dict):
        return Entry("", None, NO_OBJECT.outcome, NO_OBJECT.code, NO_OBJECT.message, orjson.dumps(row))
    body = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(body).digest()
    code = text_of(row, "MaHoSo")
    if fault is None:
        verdict = judge(row, digest, dossiers.held.get(code), updating=updating)
    elif fault.kind == "refuse":
        verdict = REFUSED
    else:
        dossiers.know(code)
        verdict = EXISTS
    status = text_of(row, "TrangThaiHoSo")
    if verdict is TAKEN:
        dossiers.take(seq, code, status, digest)
    elif verdict is CORRECTED:
        dossiers.correct(seq, code, digest)
    return Entry(code, status, verdict.outcome, verdict.code, verdict.message, body, fault.kind if fault else None)


def judge(row: Row, digest: bytes, held: Held | None, *, updating: bool) -> Verdict:
    """Decide about one HoSo, by its fields and by where the dossier stands."""
    if complaints := complaints_about_hoso(row):
        return Verdict("violation", exchange.INVALID, "; ".join(complaints[:COMPLAINTS_MAX]))
    if held is None:
        return UNKNOWN if updating else _judge_step(Held(), text_of(row, "TrangThaiHoSo"))
    if not updating:
        return EXISTS
    return RESENT if held.digest == digest else _judge_step(held, text_of(row, "TrangThaiHoSo"))


def _judge_step(held: Held, new: str) -> Verdict:
    if new == held.status:
        return CORRECTED
    if may_follow(held.status, accepted=held.accepted, new=new):
        return TAKEN
    told = f"Không thể chuyển trạng thái từ {in_words(held.status)} sang {in_words(new)}"
    return Verdict("violation", exchange.ILLEGAL_STEP, told)


def receive_progress(db: sqlite3.Connection, call: Call, rows: Sequence[object], faults: Mapping[int, Fault]) -> Answer:
    """Take a batch of TienDo; each must explain a status that the portal was told of."""
    told = _told(db, rows)
    known = _digests(db, rows)
    entries: list[Entry] = []
    taken: list[tuple[int, str, bytes]] = []
    for index, row in enumerate(rows):
        entry, digest = _receive_one_progress(row, told, known, faults.get(index))
        entries.append(entry)
        if entry.outcome == "taken":
            known.add((entry.dossier, digest))
            taken.append((call.seq + 1 + index, entry.dossier, digest))
    exchange.record_rows(db, call, entries)
    db.executemany("insert into tien_do (seq, dossier, digest) values (?, ?, ?)", taken)
    _time_statuses(db, rows, entries)
    return Answer(exchange.OK, "Cập nhật tiến độ thành công", [_answered(entry) for entry in entries])


def _receive_one_progress(
    row: object, told: Mapping[str, set[str]], known: set[tuple[str, bytes]], fault: Fault | None
) -> tuple[Entry, bytes]:
    if not isinstance(row, dict):
        return Entry("", None, NO_OBJECT.outcome, NO_OBJECT.code, NO_OBJECT.message, orjson.dumps(row)), b""
    body = orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(body).digest()
    code, status = text_of(row, "MaHoSo"), text_of(row, "TrangThai")
    if fault is not None:
        verdict = REFUSED
    elif (code, digest) in known:
        verdict = PROGRESS_RESENT
    else:
        verdict = judge_progress(row, told.get(code))
    kind = fault.kind if fault else None
    return Entry(code, status, verdict.outcome, verdict.code, verdict.message, body, kind), digest


def judge_progress(row: Row, told: set[str] | None) -> Verdict:
    """Decide about one TienDo; `told` are the statuses that the dossier has had, None if it is unknown."""
    if complaints := complaints_about_tien_do(row):
        return Verdict("violation", exchange.INVALID, "; ".join(complaints[:COMPLAINTS_MAX]))
    if told is None:
        return UNKNOWN
    status = text_of(row, "TrangThai")
    if status not in told:
        return Verdict("violation", exchange.ILLEGAL_STEP, f"Hồ sơ chưa từng ở trạng thái {in_words(status)}")
    return PROGRESS_TAKEN


def text_of(row: Row, name: str) -> str:
    """Return a field of a row, empty if it is no text."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def codes_of(rows: Sequence[object]) -> list[str]:
    """Return the dossier code of each row, empty where there is none."""
    return [text_of(row, "MaHoSo") if isinstance(row, dict) else "" for row in rows]


def _answered(entry: Entry) -> dict[str, object]:
    return {"MaHoSo": entry.dossier, "error_code": entry.code, "message": entry.message}


def _held(db: sqlite3.Connection, rows: Sequence[object]) -> dict[str, Held]:
    found = db.execute(
        "select code, status, accepted, digest, seq from dossier where code in (select value from json_each(?))",
        (orjson.dumps(codes_of(rows)).decode(),),
    )
    return {row["code"]: Held(row["status"], bool(row["accepted"]), row["digest"], row["seq"]) for row in found}


def _told(db: sqlite3.Connection, rows: Sequence[object]) -> dict[str, set[str]]:
    codes = orjson.dumps(codes_of(rows)).decode()
    told: dict[str, set[str]] = {}
    for row in db.execute(
        "select distinct dossier, status from status where dossier in (select value from json_each(?))", (codes,)
    ):
        told.setdefault(row["dossier"], set()).add(row["status"])
    return told


def _digests(db: sqlite3.Connection, rows: Sequence[object]) -> set[tuple[str, bytes]]:
    found = db.execute(
        "select dossier, digest from tien_do where dossier in (select value from json_each(?))",
        (orjson.dumps(codes_of(rows)).decode(),),
    )
    return {(row["dossier"], row["digest"]) for row in found}


def _keep(db: sqlite3.Connection, dossiers: Dossiers, received_at: str) -> None:
    db.executemany(
        "insert into dossier (code, status, accepted, digest, seq) values (?, ?, ?, ?, ?) on conflict (code) do update"
        " set status = excluded.status, accepted = excluded.accepted, digest = excluded.digest, seq = excluded.seq",
        [
            (code, held.status, held.accepted, held.digest, held.seq)
            for code, held in ((code, dossiers.held[code]) for code in dossiers.changed)
        ],
    )
    db.executemany(
        "insert into status (seq, dossier, status, received_at) values (?, ?, ?, ?)",
        [(*told, received_at) for told in dossiers.told],
    )


def _time_statuses(db: sqlite3.Connection, rows: Sequence[object], entries: Sequence[Entry]) -> None:
    """Give the earliest status of its kind that has no time yet the moment that its TienDo tells."""
    db.executemany(
        "update status set event_time = ? where seq ="
        " (select min(seq) from status where dossier = ? and status = ? and event_time is null)",
        [
            (text_of(row, "ThoiDiemXuLy"), entry.dossier, entry.status)
            for row, entry in zip(rows, entries, strict=True)
            if entry.outcome == "taken" and isinstance(row, dict)
        ],
    )
