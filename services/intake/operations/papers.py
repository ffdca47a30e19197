"""The papers of a dossier as they are handed in, and what can be wrong with them; no database is asked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.models import ProcedureEntry
from shared.errors import FieldError
from shared.events.values import Channel, PartyKind

OTHER_COMPONENT = "other"
"""Component code of a paper that the procedure does not ask for."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """The wish that an earlier result stands for a paper, with its owner's consent."""

    result_id: UUID
    consent_by: str
    consent_at: datetime
    consent_text: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One thing handed in: an uploaded document, a file known by its hash, a paper, or an earlier result."""

    component_code: str
    name: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    paper: bool = False
    document_id: UUID | None = None
    reused_result: str | None = None
    reuse: Reuse | None = None
    from_national_store: bool = False
    replaces: UUID | None = None
    """The document of the dossier in whose place it comes."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides which papers are required."""

    case: str | None
    applicant: PartyKind
    """Who asks: the owner, if there is one beside the applicant."""
    channel: Channel
    represented: bool
    """Somebody hands it in for the owner."""
    answers: Mapping[str, object]
    """What was filled into the e-form."""


def paper_problems(
    procedure: ProcedureEntry | None, papers: Sequence[Paper], situation: Situation, now: datetime
) -> Iterator[FieldError]:
    """Yield what is wrong with the papers of a submission: each one, and what is missing."""
    yield from each_paper_problems(papers, now)
    yield from replacement_problems(papers, ())
    if procedure is None:
        return
    yield from _case_problems(procedure, situation.case)
    given = {paper.component_code for paper in papers}
    for place, paper in enumerate(papers):
        if paper.component_code not in procedure.component_names and paper.component_code != OTHER_COMPONENT:
            yield FieldError(
                f"body.documents.{place}.component_code",
                f"The procedure has no such component; use {OTHER_COMPONENT!r} for further papers.",
                "Thủ tục không có thành phần hồ sơ này.",
            )
    required = procedure.required_components(
        case=situation.case,
        applicant=situation.applicant,
        channel=situation.channel,
        represented=situation.represented,
        answers=situation.answers,
    )
    for code in sorted(required - given):
        name = procedure.component_names[code]
        yield FieldError(
            "body.documents", f"The required component {code} is missing.", f"Thiếu thành phần bắt buộc: {name}."
        )


def replacement_problems(papers: Sequence[Paper], handed_in: Collection[UUID]) -> Iterator[FieldError]:
    """Yield what is wrong with papers that come in the place of others; `handed_in` are the dossier's documents."""
    named = [paper.replaces for paper in papers if paper.replaces]
    for place, paper in enumerate(papers):
        if paper.replaces and (paper.replaces not in handed_in or named.count(paper.replaces) > 1):
            yield FieldError(
                f"body.documents.{place}.replaces",
                "Name a document that was handed in with this dossier before, each at most once.",
                "Giấy tờ được thay phải là giấy tờ đã nộp của hồ sơ này, mỗi giấy tờ một lần.",
            )


def _case_problems(procedure: ProcedureEntry, case: str | None) -> Iterator[FieldError]:
    cases = {one.code: one.name for one in procedure.cases}
    if case is None and cases:
        yield FieldError(
            "body.case_code",
            f"Say which case it is: {', '.join(cases)}.",
            f"Cần chọn trường hợp của thủ tục: {'; '.join(cases.values())}.",
        )
    if case is not None and case not in cases:
        yield FieldError("body.case_code", "The procedure has no such case.", "Thủ tục không có trường hợp này.")


def each_paper_problems(papers: Sequence[Paper], now: datetime) -> Iterator[FieldError]:
    """Yield what is wrong with papers whatever the procedure."""
    for place, paper in enumerate(papers):
        ways = [paper.sha256, paper.paper, paper.document_id, paper.reused_result, paper.reuse]
        if sum(map(bool, ways)) != 1:
            yield FieldError(
                f"body.documents.{place}",
                "Give exactly one of document_id, sha256, paper, reused_result, reuse.",
                "Mỗi giấy tờ cần đúng một trong: tệp đã tải lên, mã băm, bản giấy, kết quả cũ, tái sử dụng kết quả.",
            )
        if paper.reuse and paper.reuse.consent_at > now:
            yield FieldError(
                f"body.documents.{place}.reuse.consent.at", "This lies in the future.", "Thời điểm nằm trong tương lai."
            )
    named = [paper.document_id for paper in papers if paper.document_id]
    if len(set(named)) < len(named):
        yield FieldError("body.documents", "A document is named twice.", "Một tài liệu được nêu hai lần.")
