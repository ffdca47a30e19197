"""Earlier results that are to stand for papers: results answers each claim, the acceptance waits for the answers."""

from uuid import UUID

from services.intake import queries
from services.intake.errors import ReuseOpen
from services.intake.models import Document, Dossier
from shared.errors import CauseMissing
from shared.work import Work


async def record_reuse(
    work: Work,
    *,
    code: str,
    document_id: UUID,
    number: str | None = None,
    sha256: str | None = None,
    refusal: str | None = None,
    cause: UUID,
) -> None:
    """Remember what results said to a claim: the earlier result's number and hash, or why it was refused.

    Raises CauseMissing for a document that is not known yet.
    """
    document = await work.session.get(Document, document_id)
    dossier = await work.session.get(Dossier, code)
    if document is None or dossier is None:
        raise CauseMissing("the dossier is not here yet")
    document.reuse_answer = "refused" if refusal else "confirmed"
    document.reuse_refusal, document.reuse_event = refusal, cause
    if not refusal:
        document.reused_result, document.sha256 = number, sha256
    dossier.revision += 1


async def answered_claims(work: Work, dossier: Dossier) -> UUID | None:
    """Return the event of the last answer about the claims of a dossier, None where none is left to wait for.

    A claim that is refused, or not answered, no longer matters once its paper was handed in otherwise.
    Raises ReuseOpen, which names the components that are still without a paper.
    """
    documents = await queries.list_documents(work.session, dossier.code)
    settled = {one.component_code for one in documents if one.reuse is None or one.reuse_answer == "confirmed"}
    open_ones = [one for one in documents if one.component_code not in settled]
    if open_ones:
        lacking = [{"component_code": one.component_code, "answer": one.reuse_answer or "waiting"} for one in open_ones]
        raise ReuseOpen(
            "Wait for the answer, or ask the applicant for the paper (request-supplement).", components=lacking
        )
    return max((one.reuse_event for one in documents if one.reuse_event), default=None)
