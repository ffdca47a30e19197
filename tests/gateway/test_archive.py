"""KhoSoHoa: an owner's results in the portal's words."""

import base64

import pytest
from pydantic import ValidationError

from gateway.portal.archive import WantedResults, as_answer, as_file, as_question, as_search, read_answer
from gateway.routes import limits
from gateway.routes.limits import Buckets

ASKED = WantedResults.model_validate(
    {
        "SoDinhDanhChuSoHuu": "056090000001",
        "HoTenNguoiYeuCau": "Nguyễn Văn Thử",
        "KenhThucHien": "2",
        "SoDinhDanhNguoiYeuCau": "056090000001",
        "MaThuTuc": "1.004222",
        "DanhSachDanhMucKetQua": [{"MaKetQua": "KQ.01", "SoKyHieu": ""}, {"MaKetQua": "KQ.02", "SoKyHieu": "9/GP"}],
    }
)
FOUND = {
    "id": "019d6578-a0f1-7000-8000-0000000000f1",
    "items": [
        {
            "id": f"019d6578-a009-7000-8000-00000000000{nth}",
            "kind_code": kind,
            "kind_name": "Giấy phép",
            "number": number,
            "agency_code": "H32.14",
            "media_type": "application/pdf",
        }
        for nth, (kind, number) in enumerate([("KQ.01", "15/GPXD-UBND"), ("KQ.02", "8/GP"), ("KQ.02", "9/GP")])
    ],
}


class TestWords:
    """Both ways."""

    def test_a_request_becomes_a_search_with_consent_and_purpose(self) -> None:
        search = as_search(ASKED, "2026-04-07T09:00:00+07:00")
        assert (search["owner_id_number"], search["kind_codes"]) == ("056090000001", ["KQ.01", "KQ.02"])
        assert search["purpose"] == "Kho số hóa: thủ tục 1.004222"
        assert search["consent"]["by"] == "Nguyễn Văn Thử"

    def test_our_question_is_one_that_we_would_answer(self) -> None:
        search = as_search(ASKED, "2026-04-07T09:00:00+07:00")
        question = as_question(search, requester="056090000001", procedure_code="1.004222")
        assert as_search(WantedResults.model_validate(question), "2026-04-07T09:00:00+07:00") == search

    def test_our_answer_is_one_that_we_would_read(self) -> None:
        answer = as_answer(ASKED, FOUND)
        assert (answer["errorCode"], set(answer)) == ("0", {"errorCode", "message", "signature", "result"})
        files = read_answer(answer)
        assert [(one["number"], one["name"]) for one in files] == [
            ("15/GPXD-UBND", "15-GPXD-UBND.pdf"),
            ("9/GP", "9-GP.pdf"),
        ]
        assert files[0]["path"] == f"{FOUND['id']}/019d6578-a009-7000-8000-000000000000"

    @pytest.mark.parametrize("code", [1, "1", "-1"])
    def test_nothing_found_is_no_file(self, code: object) -> None:
        assert as_answer(ASKED, FOUND | {"items": []})["errorCode"] == "1"
        assert read_answer({"errorCode": code, "message": "", "result": None}) == []

    def test_a_file_is_base64(self) -> None:
        assert base64.b64decode(as_file(b"%PDF-1.7")["result"]) == b"%PDF-1.7"

    @pytest.mark.parametrize("number", ["", "x", "123", "05609000000112345"])
    def test_an_owner_without_a_number_is_refused(self, number: str) -> None:
        with pytest.raises(ValidationError):
            WantedResults.model_validate(ASKED.model_dump() | {"SoDinhDanhChuSoHuu": number})


class TestBuckets:
    """How often one address may ask."""

    def test_an_address_may_ask_so_often_and_then_waits_while_others_do_not(self) -> None:
        buckets = Buckets(5)
        assert [buckets.take("10.0.0.1") for _ in range(5)] == [0.0] * 5
        assert 0 < buckets.take("10.0.0.1") <= 12
        assert buckets.take("10.0.0.2") == 0

    def test_memory_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "ADDRESSES_MAX", 10)
        buckets = Buckets(1)
        for number in range(1000):
            buckets.take(str(number))
        assert len(buckets._known) == 10
        assert buckets.take("999") > 0
