"""What a submitter should know about a submission that is taken all the same: warnings, never refusals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from services.intake import queries
from services.intake.models import ProcedureEntry, RuleEntry
from services.intake.operations.submission import Submission, Terms
from shared.caller import Caller
from shared.events.values import Channel, Party, ReturnMethod, ServiceLevel
from shared.work import Work

DUPLICATES_MAX = 3


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning: machine code, words for people, and the dossier it is about if the caller may see that one."""

    code: str
    message: str
    message_vi: str
    dossier_code: str | None = None
    legal_basis: str | None = None


NOT_WHOLLY_ONLINE = {
    "handed_in_offline": Notice(
        "handed_in_offline", "It was not submitted online.", "Hồ sơ không được nộp trực tuyến."
    ),
    "procedure_partial": Notice(
        "procedure_partial",
        "The procedure is not offered wholly online.",
        "Thủ tục chưa được cung cấp trực tuyến toàn trình.",
    ),
    "paper_handed_in": Notice("paper_handed_in", "It holds papers without a file.", "Hồ sơ có giấy tờ bản giấy."),
    "result_at_counter": Notice(
        "result_at_counter",
        "The result is to be fetched at the counter, not online or by post.",
        "Kết quả nhận tại quầy, không nhận trực tuyến hoặc qua bưu chính.",
    ),
}
"""Why a dossier is handled partly, not wholly, online (NĐ 42/2022/NĐ-CP), by code."""


def why_not_wholly_online(submission: Submission, procedure: ProcedureEntry) -> list[str]:
    """Return why a submission is một phần: keys of NOT_WHOLLY_ONLINE; nothing when it is toàn trình.

    Toàn trình: every step is online, and the result comes online or by post (NĐ 42/2022/NĐ-CP).
    """
    reasons = []
    if submission.channel is not Channel.ONLINE:
        reasons.append("handed_in_offline")
    if procedure.service_level is not ServiceLevel.FULL_ONLINE:
        reasons.append("procedure_partial")
    if any(paper.paper for paper in submission.papers):
        reasons.append("paper_handed_in")
    if submission.return_method is ReturnMethod.COUNTER:
        reasons.append("result_at_counter")
    return reasons


def owner_key(owner: Party) -> str | None:
    """Return by what all dossiers of one owner are found: a hash of his identity number, None without one."""
    if owner.id_kind is None or owner.id_number is None:
        return None
    return sha256(f"{owner.id_kind}:{owner.id_number}".encode()).hexdigest()


async def notices_of(
    work: Work, *, submission: Submission, terms: Terms, rules: Sequence[RuleEntry], code: str
) -> list[Notice]:
    """Return what there is to say about a submission that is about to become the dossier with this code."""
    found = [*_of_rules(submission, terms, rules), *_of_level(submission, terms.procedure)]
    key = owner_key(submission.owner or submission.applicant)
    return found if key is None else [*found, *await _of_duplicates(work, terms, key, code)]


def _of_rules(submission: Submission, terms: Terms, rules: Sequence[RuleEntry]) -> Iterator[Notice]:
    for rule in rules:
        if rule.holds(
            agency=terms.agency.code,
            procedure=terms.procedure.code,
            channel=submission.channel,
            applicant=(submission.owner or submission.applicant).kind,
            day=terms.day,
        ):
            yield Notice(rule.kind, rule.message, rule.message_vi, legal_basis=rule.legal_basis)


def _of_level(submission: Submission, procedure: ProcedureEntry) -> Iterator[Notice]:
    if procedure.service_level is not ServiceLevel.FULL_ONLINE or Channel.ONLINE not in procedure.channels:
        return
    if reasons := why_not_wholly_online(submission, procedure):
        because = [NOT_WHOLLY_ONLINE[reason] for reason in reasons]
        yield Notice(
            "could_be_wholly_online",
            f"This procedure is offered wholly online. {' '.join(one.message for one in because)}",
            f"Thủ tục này có dịch vụ công trực tuyến toàn trình. {' '.join(one.message_vi for one in because)}",
        )


async def _of_duplicates(work: Work, terms: Terms, key: str, code: str) -> Sequence[Notice]:
    procedure = terms.procedure.code
    # Submissions that share the transaction are not in the database yet.
    together: dict[tuple[str, str], list[tuple[str, str]]] = work.session.info.setdefault("owners_submitted", {})
    earlier = together.setdefault((procedure, key), [])
    known = await queries.list_open_of_owner(work.session, procedure=procedure, owner_key=key, limit=DUPLICATES_MAX)
    found = [_duplicate(work.caller, *one) for one in (*earlier, *known)]
    earlier.append((code, terms.agency.code))
    return found[:DUPLICATES_MAX]


def _duplicate(caller: Caller, code: str, agency: str) -> Notice:
    return Notice(
        "owner_has_open_dossier",
        "This owner has an open dossier for this procedure already.",
        "Chủ hồ sơ đã có hồ sơ đang giải quyết cho thủ tục này.",
        dossier_code=code if caller.may_see(agency) else None,
    )
