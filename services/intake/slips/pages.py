"""Each slip: its template with what it says."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from services.intake.errors import SlipNotDue
from services.intake.models import Document, Dossier, SupplementRequest
from services.intake.slips import words
from services.intake.slips.forms import FormCode, FormSet, forms_on
from services.intake.slips.words import Office
from shared.events.values import ReturnMethod
from shared.identifiers import dossier_day
from shared.printing import day_in_words, moment_in_words, qr_svg, render, short_day, short_moment
from shared.worktime import WorkingCalendar


async def receipt(
    dossier: Dossier,
    documents: Sequence[Document],
    *,
    calendar: WorkingCalendar,
    office: Office,
    official: str | None = None,
    tracking_url: str,
) -> bytes:
    """Print form 01: what was received, when the result is due, and why then. Raises SlipNotDue before acceptance."""
    if dossier.accepted_at is None:
        raise SlipNotDue("Form 01 is given out with the acceptance.")
    data = {
        "people": _people(dossier),
        "papers": [words.paper(document) for document in documents],
        "term": words.term(dossier),
        "received": moment_in_words(dossier.accepted_at),
        "due": moment_in_words(dossier.due_at) if dossier.due_at else "sẽ thông báo khi có kết quả",
        "why": words.why_due(dossier, calendar),
        "returned": words.RETURNS[ReturnMethod(dossier.return_method)],
        "fees": words.fees(dossier),
        "note": dossier.acceptance_note,
        "late": words.received_late(dossier),
        "official": official or dossier.accepted_by or "",
    }
    return await _print(FormCode.RECEIPT, dossier, office, dossier.accepted_at, tracking_url, data)


async def supplement(
    dossier: Dossier, request: SupplementRequest | None, *, office: Office, tracking_url: str
) -> bytes:
    """Print form 02: what is asked of the applicant. Raises SlipNotDue when nothing was asked."""
    if request is None:
        raise SlipNotDue("Form 02 is given out with a request for a supplement.")
    data = {
        "people": _people(dossier),
        "content": request.content,
        "respond_by": moment_in_words(request.respond_by),
        "official": request.requested_by,
    }
    return await _print(FormCode.SUPPLEMENT, dossier, office, request.requested_at, tracking_url, data)


async def refusal(dossier: Dossier, *, office: Office, tracking_url: str) -> bytes:
    """Print form 03: why the dossier is not taken. Raises SlipNotDue when it was not refused."""
    if dossier.rejected_at is None:
        raise SlipNotDue("Form 03 is given out with the refusal.")
    data = {
        "people": _people(dossier),
        "reason": dossier.rejection_reason,
        "legal_basis": dossier.rejection_legal_basis,
        "official": dossier.rejected_by,
    }
    return await _print(FormCode.REFUSAL, dossier, office, dossier.rejected_at, tracking_url, data)


async def register(
    dossiers: Sequence[Dossier],
    *,
    office: Office,
    names: Mapping[str, str],
    first: date,
    last: date,
    printed_at: datetime,
) -> bytes:
    """Print form 07: the dossiers that an office received on some days, in order of receipt.

    `names` are those of the agencies that decide when the receiving one does not.
    """
    forms = forms_on(last)
    form = forms.forms[FormCode.REGISTER]
    data = {
        "mark": {"number": form.number, "circular": forms.circular},
        "title": form.title,
        "office": _office(office),
        "days": f"Từ ngày {short_day(first)} đến ngày {short_day(last)}",
        "date": day_in_words(printed_at),
        "rows": [_row(dossier, names) for dossier in dossiers],
    }
    return await render(files("services.intake.slips").joinpath("register.typ"), data, dated=printed_at)


async def _print(
    code: FormCode, dossier: Dossier, office: Office, at: datetime, tracking_url: str, data: Mapping[str, Any]
) -> bytes:
    forms = forms_on(dossier_day(dossier.submitted_at))
    shared = {
        "mark": {"number": forms.forms[code].number, "circular": forms.circular},
        "title": forms.forms[code].title,
        "office": _office(office),
        "number": _number(dossier, forms, code),
        "date": day_in_words(at),
        "code": dossier.code,
        "request": dossier.summary,
        "procedure": dossier.procedure_name,
        "qr": qr_svg(tracking_url),
        "tracking_code": "-".join(_fours(dossier.tracking_code)),
    }
    template = files("services.intake.slips").joinpath(f"form-{code}.typ")
    return await render(template, {**shared, **data}, dated=at)


def _number(dossier: Dossier, forms: FormSet, code: FormCode) -> str:
    return f"{dossier.code.rpartition('-')[2]}/{forms.forms[code].suffix}"


def _office(office: Office) -> dict[str, str | None]:
    return {"name": office.name, "parent": office.parent, "place": office.place, "competent": office.competent}


def _fours(code: str) -> list[str]:
    return [code[start : start + 4] for start in range(0, len(code), 4)]


def _people(dossier: Dossier) -> dict[str, str | None]:
    applicant, owner = dossier.applicant, dossier.owner
    return {
        "applicant": applicant["name"],
        "owner": owner["name"] if owner != applicant else None,
        "address": applicant.get("address"),
        "phone": applicant.get("phone"),
        "email": applicant.get("email"),
    }


def _row(dossier: Dossier, names: Mapping[str, str]) -> list[str]:
    applicant = dossier.applicant
    reach = ", ".join(filter(None, (applicant.get("address"), applicant.get("phone"))))
    ended = dossier.rejected_at or dossier.withdrawn_at or dossier.retracted_at
    notes = {
        dossier.rejected_at: "Từ chối tiếp nhận",
        dossier.withdrawn_at: "Công dân rút hồ sơ",
        dossier.retracted_at: "Hủy do nhập nhầm",
    }
    late = "Nhập muộn" if dossier.late_reason else ""
    return [
        dossier.code,
        dossier.procedure_name,
        "01",
        dossier.owner["name"],
        reach,
        names.get(dossier.competent_agency_code or "", dossier.agency_name),
        short_moment(dossier.submitted_at),
        short_moment(dossier.due_at) if dossier.due_at else "",
        short_moment(dossier.returned_at) if dossier.returned_at else "",
        words.RETURNS[ReturnMethod(dossier.return_method)],
        "; ".join(filter(None, (notes[ended] if ended else "", late))),
    ]
