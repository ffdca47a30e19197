"""Identifiers of dossiers, agencies, procedures, citizens and taxpayers: parsing, checking and formatting, no I/O.

Sources: QĐ 20/2020/QĐ-TTg (agency ids), QCVN 102:2016/BTTTT (their old form), NĐ 61/2018 and NĐ 118/2025 (dossier
codes). Every parser raises an IdentifierError, a ValueError with a stable code and a message that says what to do;
messages about persons never repeat the number they refuse.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

OFFICE_ZONE = timezone(timedelta(hours=7))
"""The zone of the date in a dossier code: its running number starts again at midnight UTC+7."""

NEW_AGENCY = r"[HG][0-9]{2}(?:\.[0-9]{1,3}){0,3}"
OLD_AGENCY = r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[HG][0-9]{2}"
AGENCY = rf"(?:{NEW_AGENCY}|{OLD_AGENCY})"
DOSSIER = rf"{AGENCY}-[0-9]{{6}}-[0-9]{{4,7}}"
PROCEDURE = r"[0-9]\.[0-9]{6}(?:(?:\.[0-9]{3}\.[0-9]{2}\.[0-9]{2})?\.[HG][0-9]{2})?"
SERVICE = r"[0-9]\.[0-9]{6}\.[0-9]{2}"
CITIZEN = r"(?:[0-9]{12}|[0-9]{9})"
TAXPAYER = r"[0-9]{10}(?:-[0-9]{3})?"

CMND_LENGTH = 9
SERIAL_MAX = 9_999_999
SERVICE_MAX = 99
CENTURY = range(2000, 2100)
CCCD_PROVINCES = range(1, 97)
TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)

_CONVERTIBLE = re.compile(r"([HG]\d{2})(?:\.(\d{2}))?(?:\.(\d{2}))?(?:\.(\d{3}))?", re.ASCII)


class IdentifierError(ValueError):
    """An identifier cannot be taken; `code` is stable, the message says what to do, `message_vi` is for screens."""

    code: ClassVar[str] = "identifier_invalid"
    message_vi: ClassVar[str] = "Mã định danh chưa hợp lệ"


class DossierCodeError(IdentifierError):
    """The text is no dossier code."""

    code = "dossier_code_invalid"
    message_vi = "Mã hồ sơ chưa đúng; mẫu đúng: H32.14-260407-0001"


class AgencyCodeError(IdentifierError):
    """The text is no agency identifier, or it has no form of the wanted kind."""

    code = "agency_code_invalid"
    message_vi = "Mã định danh cơ quan chưa đúng; mẫu đúng: H32.14 hoặc 000.00.14.H32"


class ProcedureCodeError(IdentifierError):
    """The text is no procedure or service code."""

    code = "procedure_code_invalid"
    message_vi = "Mã thủ tục hành chính chưa đúng; mẫu đúng: 1.004222"


class CitizenIdError(IdentifierError):
    """The text is neither a CCCD nor a CMND number."""

    code = "citizen_id_invalid"
    message_vi = "Số định danh chưa đúng; nhập 12 số của căn cước hoặc 9 số của chứng minh nhân dân"


class TaxCodeError(IdentifierError):
    """The text is no tax code."""

    code = "tax_code_invalid"
    message_vi = "Mã số thuế chưa đúng; nhập 10 số, thêm -NNN nếu là đơn vị phụ thuộc"


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def current_agency(text: str) -> str:
    """Return an agency id in its present form; a present id is returned as it is.

    The old form lists up to four groups from the smallest unit to the largest: `000.00.14.H32` is `H32.14`,
    `000.17.22.H56` is `H56.22.17`, `001.00.10.H47` is `H47.10.001`. Groups of zeros are left out; a group keeps its
    digits (two, three for the smallest unit), and so its place: old_agency() gives back exactly the old text.
    Raises AgencyCodeError.
    """
    if _matches(NEW_AGENCY, text):
        return text
    if not _matches(OLD_AGENCY, text):
        raise AgencyCodeError(f"{text!r} is no agency id: write it like H32.14, or in the old form like 000.00.14.H32.")
    fourth, third, second, first = text.split(".")
    if second == "00" and third != "00":
        raise AgencyCodeError(f"{text!r} names a third level without a second one: check the groups before {first}.")
    return ".".join([first, *(group for group in (second, third, fourth) if group.strip("0"))])


def old_agency(text: str) -> str:
    """Return an agency id in the old form of QCVN 102:2016; the exact inverse of current_agency().

    Raises AgencyCodeError, also for an id whose groups the old form cannot hold (`G01.899.116`, `H32.1`).
    """
    match = _CONVERTIBLE.fullmatch(current_agency(text))
    if match is None or any(group and not group.strip("0") for group in match.groups()[1:]):
        raise AgencyCodeError(f"{text!r} has no old form: its groups need two digits (three for the last), not only 0.")
    first, second, third, fourth = match.groups()
    return ".".join((fourth or "000", third or "00", second or "00", first))


def agency_ancestors(agency: str) -> tuple[str, ...]:
    """Return the ids above an agency in the present form, from its parent to its province or ministry."""
    groups = current_agency(agency).split(".")
    return tuple(".".join(groups[:length]) for length in range(len(groups) - 1, 0, -1))


def is_within(agency: str, subtree: str) -> bool:
    """Return whether an agency is the top of a subtree or lies below it; `H32.14` is not within `H32.1`."""
    return f"{current_agency(agency)}.".startswith(f"{current_agency(subtree)}.")


@dataclass(frozen=True, slots=True)
class DossierParts:
    """What a dossier code says: agency as written, day of receipt (UTC+7), serial of that agency and day."""

    agency: str
    day: date
    serial: str

    @property
    def number(self) -> int:
        """The running number; `serial` keeps the zeros that were written before it."""
        return int(self.serial)

    def __str__(self) -> str:
        return f"{self.agency}-{self.day:%y%m%d}-{self.serial}"


def parse_dossier_code(text: str) -> DossierParts:
    """Return the parts of a dossier code; str() of them is the code again. Raises DossierCodeError."""
    if not _matches(DOSSIER, text):
        raise DossierCodeError(f"{text!r} is no dossier code: write agency, date and number like H32.14-260407-0001.")
    agency, digits, serial = text.split("-")
    try:
        current_agency(agency)
        day = date(CENTURY.start + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError as error:
        raise DossierCodeError(f"{text!r} is no dossier code: {error}") from error
    return DossierParts(agency, day, serial)


def format_dossier_code(agency: str, day: date, number: int) -> str:
    """Return the code of an agency's n-th dossier of a day: four digits, more from the 10000th on.

    Raises DossierCodeError when no code can hold the agency, the day (2000 to 2099) or the number (1 to 9999999).
    """
    if not 1 <= number <= SERIAL_MAX or day.year not in CENTURY:
        raise DossierCodeError(
            f"No dossier code holds number {number} of {day}: give a number from 1, a day from 2000."
        )
    return str(parse_dossier_code(f"{agency}-{day:%y%m%d}-{number:04d}"))


def dossier_day(moment: datetime) -> date:
    """Return the date that the code of a dossier received at an aware time carries."""
    if moment.utcoffset() is None:
        raise ValueError("The day of a dossier depends on the zone: give an aware time.")
    return moment.astimezone(OFFICE_ZONE).date()


def national_procedure(text: str) -> str:
    """Return the national part of a procedure code: `1.003560` of `1.003560.H56` or `1.003560.000.00.00.H56`.

    Raises ProcedureCodeError.
    """
    if not _matches(PROCEDURE, text):
        raise ProcedureCodeError(f"{text!r} is no procedure code: write it like 1.004222, or 1.004222.H56.")
    return text[:8]


def service_code(procedure: str, number: int = 1) -> str:
    """Return the code of a procedure's n-th online service (dịch vụ công): `1.004222.01`. Raises ProcedureCodeError."""
    if not 1 <= number <= SERVICE_MAX:
        raise ProcedureCodeError(f"No service code holds number {number}: give one from 1 to {SERVICE_MAX}.")
    return f"{national_procedure(procedure)}.{number:02d}"


def procedure_of_service(text: str) -> str:
    """Return the procedure that a service code like `1.004222.01` belongs to. Raises ProcedureCodeError."""
    if not _matches(SERVICE, text):
        raise ProcedureCodeError(f"{text!r} is no service code: write the procedure and two digits like 1.004222.01.")
    return text[:8]


@dataclass(frozen=True, slots=True)
class CitizenNumber:
    """What an identity number says; a CMND says nothing about its owner."""

    kind: Literal["cccd", "cmnd"]
    province: str | None = None
    sex: Literal["male", "female"] | None = None
    birth_year: int | None = None


def parse_citizen_id(text: str, *, today: date | None = None) -> CitizenNumber:
    """Return what a CCCD (12 digits) or a CMND (9 digits) says.

    A CCCD is: province 001 to 096, one digit for sex and century (0/1 is 19xx, 2/3 is 20xx; even is male), two of the
    year of birth, six at random. Given today's date, a birth in a later year is refused too. Raises CitizenIdError.
    """
    if not _matches(CITIZEN, text):
        raise CitizenIdError("An identity number has 12 digits (CCCD) or 9 digits (CMND) and nothing else: correct it.")
    if len(text) == CMND_LENGTH:
        # Police province codes start at 01; real senders fake 000000001 when they do not know the number.
        if text.startswith("00"):
            raise CitizenIdError("A CMND starts with its province, never with 00: enter the real number or none.")
        return CitizenNumber("cmnd")
    century, female = divmod(int(text[3]), 2)
    if int(text[:3]) not in CCCD_PROVINCES or century > 1:
        raise CitizenIdError("A CCCD starts with a province (001 to 096) and 0 to 3 for sex and century: correct it.")
    birth_year = 1900 + 100 * century + int(text[4:6])
    if today is not None and birth_year > today.year:
        raise CitizenIdError(f"This CCCD says born in {birth_year}, a year still to come: correct it.")
    return CitizenNumber("cccd", text[:3], "female" if female else "male", birth_year)


def check_tax_code(text: str) -> str:
    """Return a tax code (MST) whose check digit is right: ten digits, and `-NNN` (001 to 999) for a branch.

    The tenth digit is 10 - (weighted sum of the nine before it mod 11). A sum divisible by 11 leaves no digit, and
    implementations differ on it: such a code is refused. Raises TaxCodeError.
    """
    if not _matches(TAXPAYER, text) or text.endswith("-000"):
        raise TaxCodeError("A tax code has ten digits, and -001 to -999 behind them for a branch: correct it.")
    total = sum(weight * int(digit) for weight, digit in zip(TAX_WEIGHTS, text, strict=False))
    if 10 - total % 11 != int(text[len(TAX_WEIGHTS)]):
        raise TaxCodeError("The last of the tax code's ten digits does not fit the others: one of them is mistyped.")
    return text


def _kept(parse: Callable[[str], object]) -> AfterValidator:
    """Return a validator that refuses what the parser refuses and keeps the text as written."""

    def keep(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(keep)


DossierCode = Annotated[
    str,
    _kept(parse_dossier_code),
    Field(examples=["H32.14-260407-0001"], json_schema_extra={"pattern": f"^{DOSSIER}$"}),
]
"""A dossier code, kept as written."""

AgencyCode = Annotated[
    str,
    AfterValidator(current_agency),
    Field(examples=["H32.14", "000.00.14.H32"], json_schema_extra={"pattern": f"^{AGENCY}$"}),
]
"""An agency id in either form; the field holds the present form."""

ProcedureCode = Annotated[
    str,
    _kept(national_procedure),
    Field(examples=["1.004222", "1.003560.H56"], json_schema_extra={"pattern": f"^{PROCEDURE}$"}),
]
"""A procedure code, with its province's suffix if it was written."""

CitizenId = Annotated[
    str,
    _kept(parse_citizen_id),
    Field(examples=["056090001234", "225123456"], json_schema_extra={"pattern": f"^{CITIZEN}$"}),
]
"""A CCCD or CMND number."""

TaxCode = Annotated[
    str,
    AfterValidator(check_tax_code),
    Field(examples=["0100109106", "0100109106-001"], json_schema_extra={"pattern": f"^{TAXPAYER}$"}),
]
"""A tax code of an organisation or its branch."""
