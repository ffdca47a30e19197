"""Whatever life a dossier had, each flag of HoSo is what its events say, computed here apart from what it checks."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.portal.words import complaints_about_hoso
from gateway.portal.messages import with_links
from shared.events import payment, results
from shared.events.envelope import RawEvent
from shared.events.values import Channel, CollectedAt, Document, FeeItem, FeeKind, ReturnMethod
from shared.ids import new_id
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, Life, document

FEE = FeeItem(code="LP01", name="Lệ phí cấp phép", kind=FeeKind.LE_PHI, amount_vnd=50_000)
PAID_AS = {"national_platform": "1", "vnpay": "2", "vietqr": "2", "cash": "0"}


class Free:
    """Leads a life by what it draws: every paper, fee, supplement and result may turn out otherwise."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.life = Life()
        self.papers: list[Document] = []

    def yes(self) -> bool:
        return self.draw.random() < 0.5

    def paper(self) -> Document:
        digitised = self.yes()
        earlier = [one.id for one in self.papers if not any(other.replaces == one.id for other in self.papers)]
        one = document(
            f"Giấy {len(self.papers)}",
            digitised=digitised,
            stored=digitised and self.yes(),
            from_national_store=self.yes(),
            reused_result="7/GP" if self.yes() else None,
            replaces=self.draw.choice(earlier) if earlier and self.yes() else None,
        )
        if self.yes():
            one = one.model_copy(update={"component_code": "other"})
        return one

    def hand_in(self) -> tuple[Document, ...]:
        given = []
        for _ in range(self.draw.randrange(1, 4)):
            given.append(self.paper())
            self.papers.append(given[-1])
        return tuple(given)

    def lead(self) -> Life:
        life, draw = self.life, self.draw
        owner = CITIZEN.model_copy(
            update={
                "eid_verified": self.yes(),
                "id_number": draw.choice((None, "056090000001")),
                "portal_account": "T1",
            }
        )
        if owner.id_number is None:
            owner = owner.model_copy(update={"id_kind": None})
        given = tuple(one.model_copy(update={"replaces": None}) for one in self.hand_in())
        life.submit(
            owner,
            draw.choice(list(Channel)),
            documents=given,
            origin=draw.choice(("province", "national_portal")),
            return_method=draw.choice(list(ReturnMethod)),
            submitted_at=life.now - timedelta(hours=draw.randrange(40)),
        )
        if self.yes():
            self.answer_claim(given[0])
        if self.yes():
            life.ask()
            life.answer(*self.hand_in())
        accepted = life.accept()
        life.start(accepted)
        if self.yes():
            self.fee(accepted)
        if self.yes():
            life.issue()
            completed = life.complete()
            if self.yes():
                life.hand_over(completed)
            if self.yes():
                life.tell(results.ResultRevoked(result_id=life.result_id, reason="Cấp sai", revoked_at=life.now))
        return life

    def answer_claim(self, paper: Document) -> None:
        about = {"document_id": paper.id, "component_code": paper.component_code, "result_id": new_id()}
        if self.yes():
            said: Any = results.ReuseConfirmed(
                **about, number="9/GP", kind_code="K", sha256="a" * 64, confirmed_at=self.life.now
            )
        else:
            said = results.ReuseRefused(**about, reason="owner_differs", refused_at=self.life.now)
        self.life.tell(said)

    def fee(self, accepted: RawEvent) -> None:
        life = self.life
        life.assess(accepted)
        told = {"fee_id": life.fee_id, "collected": CollectedAt.ON_ACCEPTANCE}
        turn = self.draw.randrange(5)
        if turn == 0:
            life.tell(payment.FeeWaived(**told, amount_vnd=50_000, legal_basis="Luật", waived_at=life.now))
        elif turn == 1:
            left = (FEE.model_copy(update={"amount_vnd": 20_000}),)
            life.tell(
                payment.FeeReduced(
                    **told, items=left, amount_vnd=20_000, exempted_vnd=30_000, legal_basis="L", reduced_at=life.now
                )
            )
        elif turn == 2:
            life.tell(payment.FeeCancelled(**told, amount_vnd=50_000, reason="Rút", cancelled_at=life.now))
        elif turn == 3:
            life.pay(self.draw.choice(list(PAID_AS)))


def truth(life: Life) -> dict[str, Any]:
    """Return what HoSo must say, read from the events alone."""
    facts: dict[str, list[dict[str, Any]]] = {}
    for event in life.events:
        facts.setdefault(event.type, []).append(orjson.loads(event.body))
    submitted = facts["intake.dossier.submitted.v1"][0]
    papers = [*submitted["documents"]]
    for answer in facts.get("intake.dossier.supplemented.v1", []):
        papers += answer["documents"]
    refused = {one["document_id"] for one in facts.get("results.reuse.refused.v1", [])}
    confirmed = {one["document_id"] for one in facts.get("results.reuse.confirmed.v1", [])}
    gone = {one["replaces"] for one in papers if one["replaces"]} | refused
    listed = [one for one in papers if one["digitised"] or one["component_code"] != "other"]
    revoked = bool(facts.get("results.result.revoked.v1"))
    paid = facts.get("payment.fee.paid.v1", [])
    return {
        "KenhThucHien": {"direct": "1", "online": "2", "postal": "3"}[submitted["channel"]],
        "NoiNopHoSo": "1" if submitted["origin"] == "national_portal" else "2",
        "TaiKhoanDuocXacThucVoiVNeID": str(int(submitted["applicant"]["eid_verified"])),
        "DuocThanhToanTrucTuyen": PAID_AS[paid[0]["method"]] if paid else "0",
        "HoSoCoThanhPhanSoHoa": str(int(any(one["digitised"] and one["id"] not in gone for one in papers))),
        "identified": submitted["owner"]["id_number"] is not None,
        "online_account": submitted["channel"] == "online",
        "papers": {
            one["id"]: {
                "IsDeleted": str(one["id"] in gone),
                "DuocSoHoa": str(int(one["digitised"])),
                "DuocTaiSuDung": "2" if one["reused_result"] or one["id"] in confirmed else "0",
                "DuocLayTuKhoDMQG": str(int(one["from_national_store"])),
                "linked": one["stored"],
            }
            for one in listed
        },
        "only_shown": sum(
            not one["digitised"] and one["component_code"] == "other" and one["id"] not in gone for one in papers
        ),
        "fees": sorted(_fees(facts, submitted)),
        "results": 0 if revoked else len(facts.get("results.result.issued.v1", [])),
        "supplements": [len(one["documents"]) for one in facts.get("intake.dossier.supplemented.v1", [])],
    }


def _fees(facts: dict[str, list[dict[str, Any]]], submitted: dict[str, Any]) -> list[tuple[str, str]]:
    announced = [(one["code"], str(one["amount_vnd"])) for one in submitted["fees"]]
    later = [fee for fee in announced if fee[0] == "P02"]
    if not facts.get("payment.fee.assessed.v1"):
        return announced
    if facts.get("payment.fee.cancelled.v1"):
        return later
    if facts.get("payment.fee.waived.v1"):
        return [*later, ("LP01", "0")]
    return [*later, ("LP01", "20000" if facts.get("payment.fee.reduced.v1") else "50000")]


def said(hoso: dict[str, Any]) -> dict[str, Any]:
    """Return the same of a HoSo."""
    plain = ("KenhThucHien", "NoiNopHoSo", "TaiKhoanDuocXacThucVoiVNeID", "DuocThanhToanTrucTuyen")
    flags = ("IsDeleted", "DuocSoHoa", "DuocTaiSuDung", "DuocLayTuKhoDMQG")
    return {
        **{name: hoso[name] for name in (*plain, "HoSoCoThanhPhanSoHoa")},
        "identified": "DinhDanhCHS" in hoso and "SoGiayToChuHoSo" in hoso,
        "online_account": hoso["MaDoiTuong"] == "T1",
        "papers": {
            one["TepDinhKemId"]: {**{flag: one[flag] for flag in flags}, "linked": "DuongDanTaiTepTin" in one}
            for one in hoso["TaiLieuNop"]
        },
        "only_shown": len(hoso["DanhSachTepDinhKemKhac"]),
        "fees": sorted((one["MaPhiLePhi"], one["Gia"]) for one in hoso["DanhSachLePhi"]),
        "results": len(hoso["DanhSachGiayToKetQua"]),
        "supplements": [len(one["DanhSachGiayToBoSung"]) for one in hoso["DanhSachHoSoBoSung"]],
    }


async def told_last(hall: Hall, code: str) -> dict[str, Any]:
    rows = await hall.rows(
        "SELECT dossier_message FROM portal_debt WHERE dossier_code = :code ORDER BY version DESC LIMIT 1", code=code
    )
    return rows[0]["dossier_message"]


@given(st.integers(0, 2**32))
async def test_every_flag_is_what_the_events_say(open_hall: Hall, seed: int) -> None:
    await open_hall.clear()
    life = Free(random.Random(seed)).lead()
    await open_hall.take(life.events)
    assert await open_hall.count("waiting") == 0
    hoso = await told_last(open_hall, life.code)
    assert said(hoso) == truth(life)
    assert complaints_about_hoso(with_links(hoso, "https://motcua.example")) == []
    assert "DSKetNoiCSDL" not in hoso
    await open_hall.clear()


class TestSupplement:
    """What was asked, who took the answer, and what came with it."""

    @pytest.mark.parametrize("taker", [None, "Hồ Thị Nhận"])
    async def test_names_who_took_it_only_if_somebody_did(self, hall: Hall, taker: str | None) -> None:
        life = Life()
        life.submit()
        life.ask()
        answered = life.answer()
        body = orjson.loads(answered.body) | {"received_by": taker}
        life.events[-1] = replace(answered, body=orjson.dumps(body))
        await hall.take(life.events)
        (one,) = (await told_last(hall, life.code))["DanhSachHoSoBoSung"]
        assert one.get("NguoiTiepNhanBoSung") == taker
        assert [paper["TenGiayTo"] for paper in one["DanhSachGiayToBoSung"]] == ["Bản vẽ mới"]

    async def test_takes_back_the_paper_it_replaces_at_once(self, hall: Hall) -> None:
        """While it runs, an answer reaches no status: the retraction goes out as a correction."""
        life, old = Life(), document("Bản cũ")
        life.submit(documents=(old,))
        life.start(life.accept())
        asked = life.pause_for_papers()
        await hall.take(life.events)
        await hall.rows("UPDATE portal_debt SET acknowledged_at = now(), dossier_message = NULL")
        await hall.rows("DELETE FROM portal_queue")
        new = document("Bản mới", replaces=old.id)
        await hall.take([life.provide(asked, new)])
        papers = {one["TenTepDinhKem"]: one["IsDeleted"] for one in (await told_last(hall, life.code))["TaiLieuNop"]}
        assert papers == {"Bản cũ": "True", "Bản mới": "False"}
        assert await hall.count("portal_queue") == 1
