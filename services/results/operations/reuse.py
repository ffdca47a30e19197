"""Results that stand for papers: claims are judged, owners' results found with their consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete

from services.results import queries
from services.results.errors import ConsentNotFound
from services.results.models import Consent, DossierPapers, Reuse
from services.results.operations.archive import CLOCK_SKEW, record_reading, today
from services.results.operations.backlog import record_digitised_reading
from services.results.queries import Reusable
from services.results.states import Validity
from shared.events.results import ReuseConfirmed, ReuseRefused
from shared.events.values import Document, ReuseClaim
from shared.ids import new_id
from shared.work import Work

CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Consenting:
    """What an owner, or who acts for them, consented to."""

    by: str
    at: datetime
    text: str
    """The words shown."""
    purpose: str
    dossier_code: str | None
    """For which dossier the results are read."""


def keep_papers(
    work: Work,
    *,
    dossier_code: str,
    agency_code: str,
    procedure_code: str,
    submitted_at: datetime,
    documents: Sequence[Document],
) -> DossierPapers:
    """Keep how the papers of a submitted dossier came."""
    papers = DossierPapers(
        dossier_code=dossier_code,
        agency_code=agency_code,
        procedure_code=procedure_code,
        submitted_at=submitted_at,
        papers=len(documents),
        digitised=sum(one.digitised for one in documents),
        reused=0,
    )
    work.session.add(papers)
    return papers


async def forget_papers(work: Work, *, dossier_code: str) -> None:
    """Forget how the papers of a dossier came."""
    await work.session.flush()
    await work.session.execute(delete(DossierPapers).where(DossierPapers.dossier_code == dossier_code))


async def judge_claims(work: Work, *, dossier_code: str, claims: Sequence[ReuseClaim]) -> None:
    """Answer each claim that a result stands for a paper.

    Emits results.reuse.confirmed.v1 or results.reuse.refused.v1 for each, caused by the event that brought it.
    """
    if not claims:
        return
    confirmed = [claim for claim in claims if await _judge(work, dossier_code, claim) == CONFIRMED]
    await work.session.flush()
    papers = await work.session.get(DossierPapers, dossier_code)
    if papers is not None:
        papers.reused += len(confirmed)


async def _judge(work: Work, dossier_code: str, claim: ReuseClaim) -> str:
    found = await queries.find_reusable(work.session, result_id=claim.result_id, day=today(work))
    verdict = _verdict(work, claim, found)
    work.session.add(
        Reuse(
            document_id=claim.document_id,
            dossier_code=dossier_code,
            component_code=claim.component_code,
            result_id=claim.result_id,
            verdict=verdict,
            consent_by=claim.consent_by,
            consent_at=claim.consent_at,
            consent_text=claim.consent_text,
            purpose=claim.purpose,
            judged_at=work.now,
        )
    )
    named = {
        "document_id": claim.document_id,
        "component_code": claim.component_code,
        "result_id": claim.result_id,
    }
    if found is None or verdict != CONFIRMED:
        work.emit(ReuseRefused(**named, reason=verdict, refused_at=work.now), subject=dossier_code)
        return verdict
    confirmed = ReuseConfirmed(
        **named, number=found.number, kind_code=found.kind_code, sha256=found.sha256, confirmed_at=work.now
    )
    work.emit(confirmed, subject=dossier_code)
    _record(work, found, via="reuse", purpose=claim.purpose, dossier_code=dossier_code)
    return verdict


def _verdict(work: Work, claim: ReuseClaim, found: Reusable | None) -> str:
    owner = claim.owner.id_number
    checks = {
        "result_not_found": found is None,
        "owner_unknown": not owner or found is None or not found.owner_id_number,
        "owner_differs": found is not None and found.owner_id_number != owner,
        "consent_missing": not claim.consent_text.strip() or claim.consent_at > work.now + CLOCK_SKEW,
        "result_expired": found is not None and found.validity is Validity.EXPIRED,
        "result_not_valid": found is not None and found.validity is not Validity.VALID,
        "not_certified": found is not None and found.digitised and not found.certified,
    }
    return next((reason for reason, wrong in checks.items() if wrong), CONFIRMED)


async def find_with_consent(
    work: Work, *, owner_id_number: str, kind_codes: Sequence[str], consent: Consenting, hours: int
) -> tuple[Consent, list[Reusable]]:
    """Find an owner's valid results, whichever agency's, and keep who consented to what for which purpose.

    What is found may be read for some hours under the consent's id.
    """
    found = await queries.list_reusable(
        work.session, owner_id_number=owner_id_number, kind_codes=kind_codes, day=today(work)
    )
    kept = Consent(
        id=new_id(),
        owner_id_number=owner_id_number,
        consent_by=consent.by,
        consent_at=consent.at,
        consent_text=consent.text,
        purpose=consent.purpose,
        dossier_code=consent.dossier_code,
        client_id=work.caller.client_id,
        agency_code=work.caller.agency,
        kind_codes=list(kind_codes),
        result_ids=[str(one.id) for one in found],
        searched_at=work.now,
        valid_until=work.now + timedelta(hours=hours),
    )
    work.session.add(kept)
    return kept, found


async def read_with_consent(work: Work, *, consent_id: UUID, result_id: UUID) -> Reusable:
    """Return a result that a consent lets the caller read, and keep that it was read. Raises ConsentNotFound."""
    consent = await queries.get_consent(
        work.session, work.caller, consent_id=consent_id, result_id=result_id, now=work.now
    )
    found = await queries.find_reusable(work.session, result_id=result_id, day=today(work))
    if found is None:
        raise ConsentNotFound(consent_id=consent_id)
    _record(work, found, via="consent", purpose=consent.purpose, dossier_code=consent.dossier_code, consent=consent)
    return found


def _record(
    work: Work, found: Reusable, *, via: str, purpose: str, dossier_code: str | None, consent: Consent | None = None
) -> None:
    if found.digitised:
        record_digitised_reading(work, result_id=found.id, purpose=purpose)
        return
    consent_id = consent.id if consent else None
    record_reading(work, result_id=found.id, purpose=purpose, via=via, dossier_code=dossier_code, consent_id=consent_id)
