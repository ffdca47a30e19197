"""E-forms: in versions, checked in words that people understand, kept with the dossiers that used them."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from services.intake import queries
from services.intake.models import FormDraft, FormEntry
from services.intake.operations import validate_form
from tests.intake.counter import PROCEDURE, Counter, dossier

WRITE = ["catalogue:write"]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Tờ khai đăng ký khai tử",
    "additionalProperties": False,
    "required": ["nguoi_chet"],
    "properties": {
        "nguoi_chet": {
            "type": "object",
            "title": "Người chết",
            "required": ["ho_ten", "ngay_chet"],
            "properties": {
                "ho_ten": {"type": "string", "title": "Họ, chữ đệm, tên", "minLength": 2, "maxLength": 50},
                "ngay_chet": {"type": "string", "format": "date", "title": "Ngày chết"},
                "gioi_tinh": {"enum": ["nam", "nữ"], "title": "Giới tính"},
                "so_dinh_danh": {"type": "string", "pattern": "^[0-9]{12}$", "title": "Số định danh"},
            },
        },
        "ban_sao": {"type": "integer", "minimum": 0, "maximum": 10, "title": "Số bản sao"},
        "nguoi_than": {
            "type": "array",
            "title": "Người thân",
            "maxItems": 2,
            "items": {"$ref": "#/$defs/person"},
        },
    },
    "$defs": {
        "person": {
            "type": "object",
            "title": "Người thân",
            "properties": {"ten": {"type": "string", "title": "Họ tên", "minLength": 2}},
        }
    },
}
SOUND = {"nguoi_chet": {"ho_ten": "Nguyễn Văn Mẫu", "ngay_chet": "2026-04-01"}, "ban_sao": 2}


def draft(**changes: Any) -> dict[str, Any]:
    """Return the body of a form."""
    form = {"code": "TK-1.000656", "title": "Tờ khai", "procedures": [PROCEDURE], "data_schema": SCHEMA}
    return form | changes


def entry(**changes: Any) -> FormEntry:
    """Return a version of a form."""
    return FormEntry(**draft(**changes), version=1, valid_from=date(2026, 1, 1))


@pytest.fixture
async def office(counter: Counter) -> AsyncIterator[Counter]:
    yield counter
    async with counter.database.session() as session:
        await session.execute(text("DELETE FROM form"))
        await session.commit()
        counter.app.state.catalogue = await queries.load_catalogue(session)


async def bring_in(counter: Counter, *forms: dict[str, Any]) -> dict[str, Any]:
    """Bring in forms, and let the process know them."""
    answer = await counter.post("/forms/import", {"forms": list(forms)}, scopes=WRITE)
    assert answer.status_code == 200, answer.text
    async with counter.database.session() as session:
        counter.app.state.catalogue = await queries.load_catalogue(session, counter.app.state.catalogue)
    return answer.json()


class TestWords:
    @pytest.mark.parametrize(
        ("changes", "field", "message_vi"),
        [
            ({"nguoi_chet": {"ho_ten": "An"}}, "nguoi_chet.ngay_chet", "“Người chết, Ngày chết” là bắt buộc."),
            ({"ban_sao": "hai"}, "ban_sao", "“Số bản sao” phải là số nguyên."),
            ({"ban_sao": 11}, "ban_sao", "“Số bản sao” phải từ 10 trở xuống."),
            ({"la": 1}, "la", "“la” không có trong biểu mẫu này."),
            (
                {"nguoi_chet": SOUND["nguoi_chet"] | {"ngay_chet": "hôm qua"}},
                "nguoi_chet.ngay_chet",
                "“Người chết, Ngày chết” chưa đúng dạng ngày (năm-tháng-ngày).",
            ),
            (
                {"nguoi_chet": SOUND["nguoi_chet"] | {"gioi_tinh": "khác"}},
                "nguoi_chet.gioi_tinh",
                "“Người chết, Giới tính” phải là một trong: nam, nữ.",
            ),
            (
                {"nguoi_chet": SOUND["nguoi_chet"] | {"so_dinh_danh": "056"}},
                "nguoi_chet.so_dinh_danh",
                "“Người chết, Số định danh” chưa đúng mẫu.",
            ),
            (
                {"nguoi_than": [{"ten": "An"}, {"ten": "B"}]},
                "nguoi_than.1.ten",
                "“Người thân, mục 2, Họ tên” cần ít nhất 2 ký tự.",
            ),
            ({"nguoi_than": [{}, {}, {}]}, "nguoi_than", "“Người thân” chỉ được tối đa 2 mục."),
        ],
    )
    def test_name_the_field_as_the_screen_does(self, changes: dict[str, Any], field: str, message_vi: str) -> None:
        (problem,) = validate_form(entry(), SOUND | changes)
        assert (problem.field, problem.message_vi) == (f"body.form_data.{field}", message_vi)
        assert problem.message.startswith("“")

    def test_never_repeat_what_was_filled_in(self) -> None:
        data = {
            "nguoi_chet": {"ho_ten": "x" * 99, "ngay_chet": "bí mật", "so_dinh_danh": "bí mật"},
            "ban_sao": "bí mật",
        }
        problems = validate_form(entry(), data)
        assert len(problems) == 4
        assert not any("bí mật" in problem.message + problem.message_vi for problem in problems)


class TestSchema:
    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "nothing"},
            {"$ref": "https://example.org/schema"},
            {"$ref": "#/$defs/none"},
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"properties": {"a": {"title": "A", "type": "array", "items": {"properties": {"b": {}}}}}},
            {"properties": {"a": {"title": "A", "pattern": "(a+)+(?=b)"}}},
        ],
    )
    def test_that_cannot_be_used_is_refused(self, schema: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match=r"TK-1\.000656"):
            FormDraft.model_validate(draft(data_schema=schema))


class TestImport:
    async def test_of_205_at_once_writes_each_once(self, office: Counter) -> None:
        """The number of forms that a province has (DOMAIN.md §7)."""
        forms = [draft(code=f"BM-{number:03d}", procedures=[]) for number in range(205)]
        assert len((await bring_in(office, *forms))["written"]) == 205
        assert (await bring_in(office, *forms))["written"] == []
        seen, cursor = [], None
        while True:
            query = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            page = (await office.client.get("/forms", params=query)).json()
            seen += [form["code"] for form in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == [form["code"] for form in forms]

    async def test_keeps_versions(self, office: Counter) -> None:
        await bring_in(office, draft())
        (written,) = (await bring_in(office, draft(title="Tờ khai sửa đổi")))["written"]
        assert written["version"] == 2
        newest = (await office.client.get("/forms/TK-1.000656")).json()
        first = (await office.client.get("/forms/TK-1.000656", params={"version": 1})).json()
        assert (newest["title"], newest["versions"], first["title"]) == ("Tờ khai sửa đổi", [2, 1], "Tờ khai")
        assert (await office.client.get("/forms/nothing")).json()["code"] == "form_not_found"
        assert (await office.client.get(f"/procedures/{PROCEDURE}")).json()["form"] == "TK-1.000656"

    async def test_takes_all_or_none(self, office: Counter) -> None:
        answer = await office.post("/forms/import", {"forms": [draft(), draft(data_schema={"type": 5})]}, scopes=WRITE)
        assert answer.status_code == 422
        assert (await office.client.get("/forms")).json()["items"] == []

    async def test_takes_no_number_that_it_could_not_read_again(self, office: Counter) -> None:
        """A column of jsonb makes a whole number of 1e20; a catalogue with one in it could not be loaded any more."""
        answer = await office.post("/forms/import", {"forms": [draft(layout={"width": 1e20})]}, scopes=WRITE)
        assert answer.status_code == 422, answer.text
        await bring_in(office, draft(layout={"width": 1e15}))
        assert (await office.client.get("/forms/TK-1.000656")).json()["layout"] == {"width": 1e15}


class TestSubmission:
    async def test_keeps_the_version_that_was_filled_in(self, office: Counter) -> None:
        await bring_in(office, draft())
        code = await office.submitted(form_data=SOUND)
        await bring_in(office, draft(title="Tờ khai sửa đổi"))
        view = await office.view(code)
        assert (view["form_code"], view["form_version"], view["form_data"]) == ("TK-1.000656", 1, SOUND)

    async def test_names_every_wrong_field(self, office: Counter) -> None:
        await bring_in(office, draft())
        answer = await office.submit(dossier(form_data={"ban_sao": -1}))
        assert {error["field"] for error in answer.json()["errors"]} == {
            "body.form_data.nguoi_chet",
            "body.form_data.ban_sao",
        }
        checked = await office.post("/forms/TK-1.000656/check", {"data": {"ban_sao": -1}})
        assert {error["field"] for error in checked.json()["errors"]} == {"body.data.nguoi_chet", "body.data.ban_sao"}

    async def test_needs_it_only_where_the_form_says_so(self, office: Counter) -> None:
        await bring_in(office, draft(needed_through=["online"]))
        assert (await office.submit()).status_code == 201
        refused = await office.submit(dossier(channel="online"))
        assert [error["field"] for error in refused.json()["errors"]] == ["body.form_data"]

    async def test_refuses_one_where_there_is_none(self, counter: Counter) -> None:
        answer = await counter.submit(dossier(form_data=SOUND))
        assert [error["field"] for error in answer.json()["errors"]] == ["body.form_data"]
