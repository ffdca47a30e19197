"""A dossier is born on the portal: a citizen submits it here, and the portal hands it to the province's gateway."""

import asyncio
import base64
import hashlib
import sqlite3
from collections.abc import Callable
from datetime import datetime

import orjson
from pydantic import BaseModel, ConfigDict, Field

from deploy.portal.faults import SUBMISSION
from deploy.portal.ledger import dict_of
from deploy.portal.outbound import Reply
from deploy.portal.parts import Portal
from deploy.portal.payment.records import compact
from shared import clock

OWN_CODE = "G22.99.99"
"""The portal's own agency id in the numbers that it gives."""
RETRIABLE = frozenset({408, 425, 429})
SERVER_ERROR = 500


class Paper(BaseModel):
    """A file that the citizen hands in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    MaThanhPhanHoSo: str = Field(description="Code of the component of the procedure.")
    TenTepDinhKem: str
    content_base64: str | None = Field(None, description="Null: the portal makes a small PDF up.")


class Submission(BaseModel):
    """What a citizen fills in: words of HoSo beside the papers. Unknown words are passed on as they are."""

    model_config = ConfigDict(extra="allow", frozen=True)

    documents: list[Paper] = Field(default_factory=list)


async def submit(portal: Portal, submission: Submission, file_url: Callable[[str], str]) -> dict[str, object]:
    """Hand a submitted dossier to the gateway, again and again until it answers for good, and return its answer."""
    now = clock.now()
    given = submission.model_extra or {}
    number = str(given.get("MaHoSoDVCQG") or _own_number(now))
    files = [_file(number, paper) for paper in submission.documents]
    body = {
        "MaHoSoDVCQG": number,
        "KenhThucHien": "2",
        "NoiNopHoSo": "1",
        "NgayNopHoSo": compact(now),
        **given,
        "TaiLieuNop": [
            _paper(number, place, paper, digest, file_url)
            for place, (paper, (digest, _)) in enumerate(zip(submission.documents, files, strict=True), start=1)
        ],
    }
    encoded = orjson.dumps(body)
    await portal.ledger.run(lambda db: _keep(db, number, now, encoded, submission.documents, files))
    attempts, reply = await _hand_over(portal, number, encoded)
    await portal.ledger.run(lambda db: _keep_answer(db, number, attempts, reply))
    return {"MaHoSoDVCQG": number, "attempts": attempts, "status_code": reply.status, "answer": _read(reply)}


def submissions(db: sqlite3.Connection, limit: int) -> list[dict[str, object]]:
    """Return the latest submissions with the gateway's answers, newest first."""
    rows = db.execute(
        'select number as "MaHoSoDVCQG", submitted_at, attempts, answer_status as status_code, answer'
        " from submission order by rowid desc limit ?",
        (limit,),
    )
    return [dict_of(row) for row in rows]


def find_file(db: sqlite3.Connection, digest: str) -> tuple[str, bytes] | None:
    """Return name and content of a handed-in file by its SHA-256."""
    row = db.execute("select name, content from file where hash = ?", (digest,)).fetchone()
    return (row["name"], row["content"]) if row else None


async def _hand_over(portal: Portal, number: str, body: bytes) -> tuple[int, Reply]:
    settings = portal.settings
    reply = Reply(None, "")
    for attempt in range(1, settings.portal_attempts_max + 1):
        for fault in await portal.menu.draw(SUBMISSION, [number]):
            await asyncio.sleep(fault.delay_s)
        reply = await portal.province.submit(number, body)
        if _is_final(reply) or attempt == settings.portal_attempts_max:
            return attempt, reply
        await asyncio.sleep(min(settings.portal_retry_first_s * 2 ** (attempt - 1), settings.portal_retry_last_s))
    return settings.portal_attempts_max, reply


def _is_final(reply: Reply) -> bool:
    return reply.status is not None and reply.status < SERVER_ERROR and reply.status not in RETRIABLE


def _own_number(now: datetime) -> str:
    local = now.astimezone(clock.VN)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # The microsecond of the day: new also after the portal has forgotten everything.
    return f"{OWN_CODE}-{local:%y%m%d}-{(local - midnight).total_seconds() * 1_000_000:011.0f}"


def _file(number: str, paper: Paper) -> tuple[str, bytes]:
    if paper.content_base64 is None:
        content = f"%PDF-1.4\n% {paper.TenTepDinhKem}\n% {number}\n%%EOF\n".encode()
    else:
        content = base64.b64decode(paper.content_base64)
    return hashlib.sha256(content).hexdigest(), content


def _paper(number: str, place: int, paper: Paper, digest: str, file_url: Callable[[str], str]) -> dict[str, str]:
    return {
        "TepDinhKemId": f"{number}-{place}",
        "TenTepDinhKem": paper.TenTepDinhKem,
        "IsDeleted": "False",
        "MaThanhPhanHoSo": paper.MaThanhPhanHoSo,
        "DuongDanTaiTepTin": file_url(digest),
        "HashTepTin": digest,
        "DuocSoHoa": "1",
        "DuocTaiSuDung": "0",
        "DuocLayTuKhoDMQG": "0",
    }


def _keep(
    db: sqlite3.Connection, number: str, now: datetime, body: bytes, papers: list[Paper], files: list[tuple[str, bytes]]
) -> None:
    db.execute(
        "insert into submission (number, submitted_at, body) values (?, ?, ?) on conflict do nothing",
        (number, now.isoformat(timespec="microseconds"), body.decode()),
    )
    db.executemany(
        "insert into file (hash, name, content) values (?, ?, ?) on conflict do nothing",
        [(digest, paper.TenTepDinhKem, content) for paper, (digest, content) in zip(papers, files, strict=True)],
    )


def _keep_answer(db: sqlite3.Connection, number: str, attempts: int, reply: Reply) -> None:
    db.execute(
        "update submission set attempts = attempts + ?, answer_status = ?, answer = ? where number = ?",
        (attempts, reply.status, reply.body, number),
    )


def _read(reply: Reply) -> object:
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return reply.body
