"""Handing in a dossier."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.intake.models import AgencyEntry, Level
from services.intake.queries import Catalogue
from shared import clock
from shared.events.intake import DossierSubmitted
from tests.intake.counter import AGENCY, CCCD, DOSSIER, Counter, dossier

FILE = {"component_code": "TP01", "sha256": "b" * 64, "name": "to-khai.pdf", "size_bytes": 10}
PAPER = {"component_code": "TP02", "paper": True}
COMPONENT = "Giấy tờ chứng minh chỗ ở hợp pháp"
"""What the catalogue calls TP02 of 1.004222."""
SENT = dossier(
    procedure_code="1.004222",
    channel="online",
    applicant={"phone": "0905 123 456", "email": "an@example.vn", "eid_verified": True},
    owner={"kind": "citizen", "name": "Nguyễn Văn Bình", "id_kind": "cmnd", "id_number": "225123456"},
    documents=[FILE, PAPER],
    return_method="postal",
    summary="Đăng ký thường trú tại Nha Trang",
)


class TestSubmit:
    """Submitting a dossier."""

    async def test_gives_a_code_and_says_where_the_dossier_is(self, counter: Counter) -> None:
        answer = await counter.submit()
        line = answer.json()
        day = clock.now().astimezone(clock.VN)
        assert answer.status_code == 201
        assert line["code"] == f"{AGENCY}-{day:%y%m%d}-0001"
        assert answer.headers["Location"] == f"/dossiers/{line['code']}"
        assert line["status"] == "submitted"
        assert line["actions"] == ["accept", "reject", "request_supplement", "withdraw", "retract"]

    async def test_tells_everything_others_need(self, counter: Counter) -> None:
        code = (await counter.submit(SENT)).json()["code"]
        (told,) = await counter.told(code)
        assert isinstance(told, DossierSubmitted)
        assert (told.procedure_version, told.field_code, told.service_level) == (1, "cu_tru", "full_online")
        assert told.agency_name == "Trung tâm Phục vụ hành chính công phường Nha Trang"
        assert told.applicant.eid_verified
        assert told.owner.name == "Nguyễn Văn Bình"
        assert [(fee.amount_vnd, fee.collected) for fee in told.fees] == [(10_000, "on_acceptance")]
        assert [(one.component_code, one.sha256, one.digitised) for one in told.documents] == [
            ("TP01", "b" * 64, True),
            ("TP02", None, False),
        ]
        assert (told.origin, told.return_method) == ("province", "postal")

    async def test_shows_what_was_handed_in(self, counter: Counter) -> None:
        view = await counter.view((await counter.submit(SENT)).json()["code"])
        assert view["applicant"]["id_number"] == CCCD
        assert view["owner"]["id_number"] == "225123456"
        assert view["summary"] == "Đăng ký thường trú tại Nha Trang"
        assert [fee["amount_vnd"] for fee in view["fees"]] == [10_000]
        assert [(one["component_code"], one["name"], one["held"]) for one in view["documents"]] == [
            ("TP01", "to-khai.pdf", False),
            ("TP02", COMPONENT, False),
        ]

    async def test_charges_what_the_channel_costs(self, counter: Counter) -> None:
        code = await counter.submitted(procedure_code="1.004222", channel="direct")
        assert [fee["amount_vnd"] for fee in (await counter.view(code))["fees"]] == [20_000]

    async def test_takes_codes_in_their_other_forms(self, counter: Counter) -> None:
        code = await counter.submitted(
            procedure_code="2.000822.000.00.00.H32",
            agency_code="000.00.03.H32",
            documents=[{"component_code": f"TP0{n}", "paper": True} for n in (1, 2, 3)],
        )
        assert code.startswith("H32.03-")
        assert (await counter.view(code))["procedure_code"] == "2.000822"

    async def test_takes_further_papers(self, counter: Counter) -> None:
        documents = [*DOSSIER["documents"], {"component_code": "other", "paper": True, "name": "Đơn giải trình"}]
        view = await counter.view(await counter.submitted(documents=documents))
        assert [one["name"] for one in view["documents"]][2] == "Đơn giải trình"

    async def test_takes_what_is_entered_late(self, counter: Counter) -> None:
        at = clock.now() - timedelta(days=3)
        code = await counter.submitted(submitted_at=at.isoformat(), late_reason="Mất điện ba ngày")
        assert code.split("-")[1] == f"{at.astimezone(clock.VN):%y%m%d}"
        view = await counter.view(code)
        assert (view["submitted_at"], view["late_reason"]) == (
            at.isoformat().replace("+00:00", "Z"),
            "Mất điện ba ngày",
        )
        assert datetime.fromisoformat(view["entered_at"]) > at
        (told,) = await counter.told(code)
        assert isinstance(told, DossierSubmitted)
        assert (told.late_entry, told.late_reason, told.submitted_at) == (True, "Mất điện ba ngày", at)


def _late(**back: float) -> str:
    return (clock.now() - timedelta(**back)).isoformat()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("unknown procedure", {"procedure_code": "9.999999"}, "body.procedure_code"),
    ("procedure out of force", {"procedure_code": "1.010385", "agency_code": "H32.14"}, "body.procedure_code"),
    ("unknown agency", {"agency_code": "H32.99"}, "body.agency_code"),
    ("text for an agency", {"agency_code": "nha-trang"}, "body.agency_code"),
    ("agency that does not receive it", {"agency_code": "H32.03"}, "body.agency_code"),
    ("channel that is not offered", {"procedure_code": "1.003197"}, "body.channel"),
    ("component missing", {"documents": [{"component_code": "TP01", "paper": True}]}, "body.documents"),
    (
        "strange component",
        {"documents": [*DOSSIER["documents"], {"component_code": "TP77", "paper": True}]},
        "body.documents.2.component_code",
    ),
    (
        "paper and hash",
        {"documents": [PAPER, {"component_code": "TP01", "paper": True, "sha256": "a" * 64}]},
        "body.documents.1",
    ),
    ("neither paper nor file", {"documents": [PAPER, {"component_code": "TP01"}]}, "body.documents.1"),
    ("organisation for citizens only", {"applicant": {"kind": "organisation"}}, "body.applicant.kind"),
    ("owner of the wrong kind", {"owner": {"kind": "organisation", "name": "Công ty A"}}, "body.owner.kind"),
    ("CCCD of no province", {"applicant": {"id_number": "999190001234"}}, "body.applicant.id_number"),
    ("CCCD born tomorrow", {"applicant": {"id_number": "056299001234"}}, "body.applicant.id_number"),
    ("CMND said to be a CCCD", {"applicant": {"id_number": "225123456"}}, "body.applicant.id_number"),
    ("MST mistyped", {"applicant": {"id_kind": "mst", "id_number": "0100109107"}}, "body.applicant.id_number"),
    ("kind without number", {"applicant": {"id_number": None}}, "body.applicant.id_number"),
    ("nobody to call or write to", {"applicant": {"phone": None}}, "body.applicant.phone"),
    ("submitted in the future", {"submitted_at": _late(hours=-1)}, "body.submitted_at"),
    ("entered too late", {"submitted_at": _late(days=31), "late_reason": "Mất điện"}, "body.submitted_at"),
    ("entered late without a reason", {"submitted_at": _late(days=2)}, "body.late_reason"),
    (
        "online entered late",
        {"channel": "online", "submitted_at": _late(hours=1), "late_reason": "Mất điện"},
        "body.submitted_at",
    ),
    ("case of another procedure", {"case_code": "TH01"}, "body.case_code"),
    ("time without zone", {"submitted_at": "2026-11-20T08:00:00"}, "body.submitted_at"),
    ("time that UTC does not have", {"submitted_at": "0001-01-01T00:00:00+14:00"}, "body.submitted_at"),
    ("field that is not known", {"price": 1}, "body.price"),
    ("character that cannot be stored", {"summary": "a\x00b"}, "body.summary"),
]


class TestRefusal:
    """Refusing a submission."""

    @pytest.mark.parametrize(("changes", "field"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
    async def test_names_the_field_in_two_languages(
        self, counter: Counter, changes: dict[str, Any], field: str
    ) -> None:
        answer = await counter.submit(dossier(**changes))
        problem = answer.json()
        assert answer.status_code == 422, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert [error["field"] for error in problem["errors"]] == [field]
        assert all(error["message"] and error["message_vi"] for error in problem["errors"])
        assert await counter.rows("SELECT code FROM dossier UNION ALL SELECT agency_code FROM agency_day") == []

    async def test_names_all_fields_at_once_and_repeats_no_number(self, counter: Counter) -> None:
        answer = await counter.submit(
            dossier(channel="postal", applicant={"id_number": "999190001234"}, agency_code="H32.03", documents=[])
        )
        fields = [error["field"] for error in answer.json()["errors"]]
        assert fields == ["body.agency_code", "body.applicant.id_number", "body.documents", "body.documents"]
        assert "999190001234" not in answer.text

    async def test_needs_the_right_and_a_token(self, counter: Counter) -> None:
        assert (await counter.submit(scopes=["dossiers:read"])).status_code == 403
        assert (await counter.client.post("/dossiers", json=DOSSIER)).status_code == 401

    async def test_lets_nobody_submit_to_another_agency(self, counter: Counter) -> None:
        answer = await counter.submit(agency="H32.14.22")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "body.agency_code"

    async def test_names_the_successor_of_an_agency_that_is_gone(self, counter: Counter) -> None:
        known: Catalogue = counter.app.state.catalogue
        gone = AgencyEntry(
            code=AGENCY,
            name="cũ",
            level=Level.COMMUNE,
            valid_to=clock.now().date() - timedelta(2),
            successors=("H32.14.22",),
        )
        counter.app.state.catalogue = replace(known, agencies={**known.agencies, AGENCY: gone})
        try:
            answer = await counter.submit()
        finally:
            counter.app.state.catalogue = known
        assert "successor H32.14.22" in answer.json()["errors"][0]["message"]
