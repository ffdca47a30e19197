"""Identifiers against the vectors of the standards and of real dossiers."""

import json
import re
from datetime import UTC, date, datetime

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared import identifiers as ids

OLD_AND_NEW = [
    ("000.00.00.H32", "H32"),
    ("000.00.00.G15", "G15"),
    ("000.00.14.H32", "H32.14"),
    ("000.17.22.H56", "H56.22.17"),
    ("001.00.10.H47", "H47.10.001"),
    ("001.00.00.H47", "H47.001"),
    ("002.17.22.H56", "H56.22.17.002"),
]


def old_forms() -> st.SearchStrategy[str]:
    """Every text that is an agency id in the old form."""
    two = st.integers(0, 99).map("{:02d}".format)
    parts = st.tuples(st.integers(0, 999).map("{:03d}".format), two, two, st.sampled_from(["H01", "H32", "H63", "G15"]))
    return parts.filter(lambda groups: groups[2] != "00" or groups[1] == "00").map(".".join)


class TestAgency:
    """An agency identifier, old or new."""

    @pytest.mark.parametrize(("old", "new"), OLD_AND_NEW)
    def test_converts_both_ways(self, old: str, new: str) -> None:
        assert ids.current_agency(old) == new
        assert ids.old_agency(new) == old
        assert ids.current_agency(new) == new
        assert ids.old_agency(old) == old

    @given(old_forms())
    def test_conversions_are_exact_inverses(self, old: str) -> None:
        new = ids.current_agency(old)
        assert re.fullmatch(ids.NEW_AGENCY, new)
        assert ids.old_agency(new) == old

    @pytest.mark.parametrize(
        "text", ["", "H3", "H321", "X32", "h32.14", "H32.", "H32.1234", "H32.1.2.3.4", "00.00.14.H32"]
    )
    def test_refuses_what_is_no_id(self, text: str) -> None:
        with pytest.raises(ids.AgencyCodeError, match=r"write it like H32\.14"):
            ids.current_agency(text)

    def test_refuses_a_third_level_without_a_second(self) -> None:
        with pytest.raises(ids.AgencyCodeError, match="third level"):
            ids.current_agency("000.17.00.H56")

    @pytest.mark.parametrize("text", ["H32.1", "G01.899.116", "H32.00", "H32.14.000", "H32.14.01.02"])
    def test_says_when_there_is_no_old_form(self, text: str) -> None:
        with pytest.raises(ids.AgencyCodeError, match="no old form"):
            ids.old_agency(text)

    def test_names_its_ancestors(self) -> None:
        assert ids.agency_ancestors("H32.14.21") == ("H32.14", "H32")
        assert ids.agency_ancestors("000.17.22.H56") == ("H56.22", "H56")
        assert ids.agency_ancestors("H32") == ()

    @pytest.mark.parametrize(
        ("agency", "subtree", "inside"),
        [
            ("H32.14", "H32.14", True),
            ("H32.14.21", "H32.14", True),
            ("H32.14", "H32", True),
            ("000.00.14.H32", "H32", True),
            ("H32.14", "000.00.00.H32", True),
            ("H32.14", "H32.1", False),
            ("H32.1", "H32.14", False),
            ("H32", "H32.14", False),
            ("H32.140", "H32.14", False),
        ],
    )
    def test_is_within_only_at_a_dot(self, agency: str, subtree: str, *, inside: bool) -> None:
        assert ids.is_within(agency, subtree) is inside


class TestDossierCode:
    """A dossier code."""

    def test_says_agency_day_and_number(self) -> None:
        parts = ids.parse_dossier_code("H32.14-260407-0001")
        assert (parts.agency, parts.day, parts.number) == ("H32.14", date(2026, 4, 7), 1)

    @pytest.mark.parametrize("text", ["000.17.22.H56-210531-0001", "G15-260407-9999", "H32.14.21-260407-10000"])
    def test_comes_back_as_written(self, text: str) -> None:
        assert str(ids.parse_dossier_code(text)) == text

    def test_keeps_the_padding_of_foreign_codes(self) -> None:
        """Other systems pad to five digits; the code is their name for the dossier and must not change."""
        parts = ids.parse_dossier_code("H29-250101-00042")
        assert (parts.number, str(parts)) == (42, "H29-250101-00042")

    @pytest.mark.parametrize(
        ("number", "serial"), [(1, "0001"), (9999, "9999"), (10_000, "10000"), (123_456, "123456")]
    )
    def test_has_four_digits_and_more_past_9999(self, number: int, serial: str) -> None:
        assert ids.format_dossier_code("H32.14", date(2026, 4, 7), number) == f"H32.14-260407-{serial}"

    @given(
        agency=st.one_of(old_forms(), st.sampled_from(["H32", "H32.14", "H32.14.21", "G01.899.116"])),
        day=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
        number=st.integers(1, 9_999_999),
    )
    def test_parsing_undoes_formatting(self, agency: str, day: date, number: int) -> None:
        parts = ids.parse_dossier_code(ids.format_dossier_code(agency, day, number))
        assert (parts.agency, parts.day, parts.number) == (agency, day, number)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "H32.14",
            "H32.14-260407-001",
            "H32.14-261307-0001",
            "H32.14-260230-0001",
            "H32.14-260407-0001 ",
            "H32.14-260407-٠٠٠١",
            "000.17.00.H56-260407-0001",
            "000.00.14.H32.14-260407-0001",
        ],
    )
    def test_refuses_what_is_no_code(self, text: str) -> None:
        with pytest.raises(ids.DossierCodeError, match="no dossier code"):
            ids.parse_dossier_code(text)

    @pytest.mark.parametrize(
        ("day", "number"), [(date(2026, 4, 7), 0), (date(2026, 4, 7), 10**7), (date(1999, 1, 1), 1)]
    )
    def test_refuses_what_no_code_can_hold(self, day: date, number: int) -> None:
        with pytest.raises(ids.DossierCodeError, match="holds number"):
            ids.format_dossier_code("H32.14", day, number)

    def test_changes_its_day_at_midnight_in_vietnam(self) -> None:
        assert ids.dossier_day(datetime(2026, 4, 7, 16, 59, 59, tzinfo=UTC)) == date(2026, 4, 7)
        assert ids.dossier_day(datetime(2026, 4, 7, 17, 0, tzinfo=UTC)) == date(2026, 4, 8)

    def test_has_no_day_without_a_zone(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            ids.dossier_day(datetime(2026, 4, 7))  # noqa: DTZ001 - a naive time is the case


class TestProcedureCode:
    """A code of a procedure or of its online services."""

    @pytest.mark.parametrize("text", ["1.003560", "1.003560.H56", "1.003560.000.00.00.H56"])
    def test_has_a_national_part(self, text: str) -> None:
        assert ids.national_procedure(text) == "1.003560"

    @pytest.mark.parametrize(
        "text", ["", "1.00356", "1003560", "1.003560.", "1.003560.56", "1.003560.01", "1.003560.000.H56"]
    )
    def test_refuses_what_is_no_code(self, text: str) -> None:
        with pytest.raises(ids.ProcedureCodeError, match="write it like"):
            ids.national_procedure(text)

    def test_names_its_services(self) -> None:
        assert ids.service_code("1.004222") == "1.004222.01"
        assert ids.service_code("1.003560.H56", 12) == "1.003560.12"
        assert ids.procedure_of_service("1.004222.01") == "1.004222"

    def test_refuses_what_is_no_service(self) -> None:
        with pytest.raises(ids.ProcedureCodeError, match="no service code"):
            ids.procedure_of_service("1.004222")
        with pytest.raises(ids.ProcedureCodeError, match="from 1 to 99"):
            ids.service_code("1.004222", 100)


class TestCitizenId:
    """The number of a citizen's card."""

    @pytest.mark.parametrize(
        ("text", "province", "sex", "year"),
        [
            ("056090001234", "056", "male", 1990),
            ("042185001234", "042", "female", 1985),
            ("070201001234", "070", "male", 2001),
            ("049310001234", "049", "female", 2010),
        ],
    )
    def test_says_province_sex_and_year(self, text: str, province: str, sex: str, year: int) -> None:
        citizen = ids.parse_citizen_id(text)
        assert (citizen.kind, citizen.province, citizen.sex, citizen.birth_year) == ("cccd", province, sex, year)

    def test_may_be_an_old_card_of_nine_digits(self) -> None:
        assert ids.parse_citizen_id("225123456") == ids.CitizenNumber("cmnd")

    @pytest.mark.parametrize(
        "text", ["", "05609000123", "0560900012345", "05609000123a", "000090001234", "097090001234", "056490001234"]
    )
    def test_refuses_what_nobody_has_without_repeating_it(self, text: str) -> None:
        with pytest.raises(ids.CitizenIdError) as refusal:
            ids.parse_citizen_id(text)
        assert not text or text not in str(refusal.value)

    def test_refuses_the_number_that_senders_fake(self) -> None:
        """Real senders put 000000001 where the number is unknown."""
        with pytest.raises(ids.CitizenIdError, match="enter the real number or none"):
            ids.parse_citizen_id("000000001")

    def test_refuses_a_birth_still_to_come(self) -> None:
        assert ids.parse_citizen_id("056299001234").birth_year == 2099
        with pytest.raises(ids.CitizenIdError, match="still to come"):
            ids.parse_citizen_id("056299001234", today=date(2026, 4, 7))


class TestTaxCode:
    """A tax code with its check digit."""

    @pytest.mark.parametrize(
        "text", ["0100109106", "0100100079", "0301442379", "0100686209", "0300588569", "0100109106-001"]
    )
    def test_is_kept_when_its_digit_fits(self, text: str) -> None:
        assert ids.check_tax_code(text) == text

    @pytest.mark.parametrize(
        "text", ["", "010010910", "01001091060", "0100109106-1", "0100109106-000", "0100109106001"]
    )
    def test_has_ten_digits_and_a_branch(self, text: str) -> None:
        with pytest.raises(ids.TaxCodeError, match="ten digits, and"):
            ids.check_tax_code(text)

    @given(st.integers(0, 8), st.integers(1, 9))
    def test_shows_any_single_mistyped_digit(self, place: int, shift: int) -> None:
        right = "0100109106"
        digit = (int(right[place]) + shift) % 10
        with pytest.raises(ids.TaxCodeError, match="mistyped"):
            ids.check_tax_code(right[:place] + str(digit) + right[place + 1 :])

    def test_is_refused_when_the_sum_leaves_no_digit(self) -> None:
        """31 x 1 + 3 x 8 = 55, divisible by 11: some systems write 0 there, others do not issue the code."""
        for last in range(10):
            with pytest.raises(ids.TaxCodeError, match="mistyped"):
                ids.check_tax_code(f"100000008{last}")


FIELDS = [
    (ids.DossierCode, ["H32.14-260407-0001", "000.17.22.H56-210531-0001"], "H32.14-2604-1"),
    (ids.AgencyCode, ["H32", "000.00.14.H32"], "Sở Tư pháp"),
    (ids.ProcedureCode, ["1.004222", "1.003560.000.00.00.H56"], "1.4222"),
    (ids.CitizenId, ["056090001234", "225123456"], "56090001234"),
    (ids.TaxCode, ["0100109106", "0100109106-001"], "0100-109106"),
]


class TestFields:
    """The types that requests use."""

    @pytest.mark.parametrize(("field", "good", "bad"), FIELDS)
    def test_agree_with_their_schema(self, field: type[str], good: list[str], bad: str) -> None:
        adapter = TypeAdapter[str](field)
        schema = jsonschema_rs.validator_for(adapter.json_schema())
        for text in (*good, *adapter.json_schema()["examples"]):
            assert schema.is_valid(text)
            adapter.validate_python(text)
        assert not schema.is_valid(bad)
        with pytest.raises(ValidationError) as refusal:
            adapter.validate_python(bad)
        cause = refusal.value.errors()[0]["ctx"]["error"]
        assert isinstance(cause, ids.IdentifierError)
        assert cause.message_vi

    def test_hold_an_agency_in_its_present_form(self) -> None:
        assert TypeAdapter[str](ids.AgencyCode).validate_python("000.00.14.H32") == "H32.14"

    def test_keep_other_codes_as_written(self) -> None:
        for field, good, _bad in FIELDS[2:]:
            assert [TypeAdapter[str](field).validate_json(json.dumps(text)) for text in good] == good

    def test_have_one_stable_code_per_error(self) -> None:
        codes = {error.code for error in ids.IdentifierError.__subclasses__()}
        assert codes == {
            "dossier_code_invalid",
            "agency_code_invalid",
            "procedure_code_invalid",
            "citizen_id_invalid",
            "tax_code_invalid",
        }
