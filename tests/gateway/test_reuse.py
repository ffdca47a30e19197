"""An earlier result in place of a paper, as it is told of a dossier."""

import pytest

from shared.events import results
from shared.ids import new_id
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, Life, document


@pytest.mark.parametrize("when", ["submitted", "supplemented"])
async def test_a_confirmed_result_stands_for_its_paper_and_the_portal_is_told(hall: Hall, when: str) -> None:
    life, paper = Life(), document("Giấy chứng nhận")
    submitted = life.submit(documents=(document(), paper) if when == "submitted" else ())
    if when == "supplemented":
        life.ask()
        submitted = life.answer(paper)
    confirmed = results.ReuseConfirmed(
        document_id=paper.id,
        component_code=paper.component_code,
        result_id=new_id(),
        number="15/GPXD-UBND",
        kind_code="KQ.01",
        sha256="a" * 64,
        confirmed_at=life.now,
    )
    life.tell(confirmed, cause=submitted)
    life.accept()
    await hall.take(life.events)
    rows = await hall.rows("SELECT dossier_message FROM portal_debt ORDER BY version DESC LIMIT 1")
    papers = {one["TepDinhKemId"]: one for one in rows[0]["dossier_message"]["TaiLieuNop"]}
    found = papers.pop(str(paper.id))
    assert (found["DuocTaiSuDung"], found["MaKetQuaThayThe"]) == ("2", "15/GPXD-UBND")
    assert all(one["DuocTaiSuDung"] == "0" for one in papers.values())


async def test_who_consented_stands_in_no_fact_twice(hall: Hall) -> None:
    life = Life()
    claim = {
        "document_id": new_id(),
        "component_code": "TP01",
        "result_id": new_id(),
        "owner": CITIZEN,
        "consent_by": CITIZEN.name,
        "consent_at": life.now,
        "consent_text": "Tôi đồng ý.",
        "purpose": "Thay giấy tờ",
    }
    life.submit(reuse=(claim,))
    await hall.take(life.events)
    assert "reuse" not in (await hall.view(life.code))["facts"]["submitted"]
