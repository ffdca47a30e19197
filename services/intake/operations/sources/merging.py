"""A draft meets what the province knows of the procedure: together they are the next version, or nothing new.

What the source says replaces what stood there; where it is silent, what the province has set stays. So a gap in the
source erases nothing, and bringing the same file in again changes nothing.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

from services.intake.models import (
    ComponentEntry,
    FeeEntry,
    Level,
    NationalRecord,
    Origin,
    ProcedureEntry,
    ResultEntry,
)
from services.intake.operations.sources.drafts import ComponentDraft, Draft, ResultDraft
from services.intake.operations.sources.oddities import Notes
from services.intake.operations.sources.ways import days
from services.intake.queries import plain
from shared.events.values import Channel, Duration, FeeKind, PartyKind, Process, ProcessStep, ServiceLevel

DAY_MINUTES, WORK_HOURS, DAY_HOURS = 480, 8, 24
NO_TERM_DAYS = 10
"""Working days that the steps of a procedure without a term are planned with."""
_ORDER = (Channel.DIRECT, Channel.POSTAL, Channel.ONLINE)
_APPLICATION = re.compile(r"(?:don|to khai|giay de nghi|van ban de nghi|phieu (?:de nghi|dang ky))\b")
_SOMETIMES = re.compile(r"neu co|truong hop|doi voi|khi |hoac|voi nguoi")
_ONLINE_LEVELS = {
    "4": ServiceLevel.FULL_ONLINE,
    "toan trinh": ServiceLevel.FULL_ONLINE,
    "full_online": ServiceLevel.FULL_ONLINE,
    "3": ServiceLevel.PARTIAL,
    "mot phan": ServiceLevel.PARTIAL,
    "partial": ServiceLevel.PARTIAL,
    "2": ServiceLevel.INFORMATION,
    "thong tin": ServiceLevel.INFORMATION,
    "information": ServiceLevel.INFORMATION,
}


def merged_entry(
    draft: Draft, prior: ProcedureEntry | None, notes: Notes, *, field: str, version: int, valid_from: date
) -> ProcedureEntry:
    """Return the version that a draft makes of a procedure; `prior` is the newest one there is."""
    duration, durations, same_day = _terms(draft, prior, notes)
    channels = tuple(channel for channel in _ORDER if channel in draft.ways)
    levels = draft.levels or (prior.all_levels if prior else (Level.OTHER,))
    return ProcedureEntry(
        code=draft.code,
        version=version,
        name=draft.name or (prior.name if prior else f"Thủ tục {draft.code}"),
        field=field,
        level=levels[0],
        levels=levels,
        service_level=_service_level(draft, prior),
        applicants=draft.applicants or (prior.applicants if prior else frozenset(PartyKind)),
        agencies=draft.agencies or (prior.agencies if prior else ()),
        duration=duration,
        durations=durations,
        same_day=same_day,
        channels=channels or (prior.channels if prior else (Channel.DIRECT,)),
        fees=_fees(draft, prior, notes),
        components=tuple(_components(draft.components, prior)) or (prior.components if prior else ()),
        results=tuple(_results(draft, prior)) or (prior.results if prior else ()),
        legal_basis=draft.legal_basis or (prior.legal_basis if prior else ()),
        valid_from=valid_from,
        valid_to=_last_day(draft, prior, notes),
        process=_process(draft, prior, duration),
        origin=Origin.NATIONAL,
        national=_record(draft, prior),
    )


def _last_day(draft: Draft, prior: ProcedureEntry | None, notes: Notes) -> date | None:
    if draft.valid_to or draft.valid_from or prior is None or prior.valid_to is None:
        return draft.valid_to
    notes.add("valid_to", "expired_kept", "still listed", f"it stays ended on {prior.valid_to}")
    return prior.valid_to


def _record(draft: Draft, prior: ProcedureEntry | None) -> NationalRecord:
    before = prior.national.model_dump() if prior and prior.national else {}
    return NationalRecord(**before | {name: value for name, value in draft.record.model_dump().items() if value})


def _terms(
    draft: Draft, prior: ProcedureEntry | None, notes: Notes
) -> tuple[Duration | None, dict[Channel, Duration], bool]:
    said = {channel: way.duration for channel in _ORDER if (way := draft.ways.get(channel)) and way.duration}
    if not said:
        if prior and prior.duration:
            kept = f"{prior.duration.amount:g} {prior.duration.unit}"
            notes.add("channels.duration", "province_kept", "no term in the source", f"kept: {kept}")
            return prior.duration, prior.durations, prior.same_day
        return None, {}, False
    main = next(iter(said.values()))
    same_day = all(draft.ways[channel].same_day for channel in said)
    kept_same_day = bool(prior and prior.same_day and days(main) <= days(prior.duration or main))
    return main, {channel: term for channel, term in said.items() if term != main}, same_day or kept_same_day


def _fees(draft: Draft, prior: ProcedureEntry | None, notes: Notes) -> tuple[FeeEntry, ...]:
    amounts = {channel: way.fees[0].amount_vnd for channel, way in draft.ways.items() if way.fees}
    # Only a province tells apart several fees of one procedure; the source has their sum, or one of them.
    if not amounts or (prior and len(prior.fees) > 1):
        if prior and prior.fees:
            kept = ", ".join(f"{fee.name}: {fee.amounts_vnd}" for fee in prior.fees)
            notes.add("channels.fees", "province_kept", "no amount, or one for several fees", f"kept: {kept}")
        return prior.fees if prior else ()
    if not any(amounts.values()):
        return ()
    names = [way.fees[0].name.strip(" )(.,:;/-") for way in draft.ways.values() if way.fees]
    name = next((name for name in names if any(letter.isalpha() for letter in name)), "")
    texts = plain(" ".join((name, *draft.record.notes.values())))
    kind = FeeKind.LE_PHI if "le phi" in texts else FeeKind.PHI
    title = "Lệ phí" if kind is FeeKind.LE_PHI else "Phí"
    code = f"{'LP' if kind is FeeKind.LE_PHI else 'P'}-{draft.code}-01"[-40:]
    known = prior.fees[0] if prior and len(prior.fees) == 1 else None
    if known:
        return (known.model_copy(update={"amounts_vnd": amounts}),)
    return (FeeEntry(code=code, name=f"{title}: {name}" if name else title, kind=kind, amounts_vnd=amounts),)


def _components(drafts: list[ComponentDraft], prior: ProcedureEntry | None) -> Iterable[ComponentEntry]:
    """Yield the papers; one that was there before keeps its code, new ones get the next that was never used."""
    known = {_folded(one.name): one for one in prior.components} if prior else {}
    used = {one.code for one in prior.components} if prior else set()
    used |= {draft.code for draft in drafts if draft.code}
    applications = [draft for draft in drafts if _is_application(draft)]
    number, given = 0, set()
    for draft in drafts:
        before = known.get(_folded(draft.name))
        code = before.code if before else draft.code
        while not code or code in given:
            number += 1
            code = f"TP{number:02d}" if f"TP{number:02d}" not in used else None
        given.add(code)
        yield ComponentEntry(
            code=code,
            name=draft.name,
            form=draft.form,
            originals=draft.originals,
            copies=draft.copies,
            # The source does not say what no dossier may lack. Its one application form is that; the rest depends on
            # the case, and to refuse a dossier for it is for people.
            required=before.required if before else applications == [draft],
            digitise=before.digitise if before else draft.originals + draft.copies > 0,
        )


def _is_application(draft: ComponentDraft) -> bool:
    words = plain(draft.name)
    return _APPLICATION.match(words) is not None and not _SOMETIMES.search(words)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _results(draft: Draft, prior: ProcedureEntry | None) -> Iterable[ResultEntry]:
    known = {_folded(one.name): one for one in prior.results} if prior else {}
    for number, result in enumerate(draft.results, start=1):
        before = known.get(_folded(result.name))
        code = result.code or (before.code if before else f"KQ-{draft.code}-{number:02d}"[-40:])
        yield ResultEntry(code=code, name=result.name, document=before.document if before else _is_document(result))


def _is_document(result: ResultDraft) -> bool:
    """Tell whether a document is issued: everything but an entry in some list."""
    return not plain(result.name).startswith(("ghi vao so", "cap nhat", "ghi nhan"))


def _service_level(draft: Draft, prior: ProcedureEntry | None) -> ServiceLevel:
    """Return how far it goes online: as said, as the province has it, else no more than the source shows."""
    for words, level in _ONLINE_LEVELS.items():
        if draft.service_level and words in draft.service_level:
            return level
    if prior and not draft.ways:
        return prior.service_level
    online = Channel.ONLINE in draft.ways
    if prior and (prior.service_level is not ServiceLevel.INFORMATION) == online:
        return prior.service_level
    return ServiceLevel.PARTIAL if online else ServiceLevel.INFORMATION


def _process(draft: Draft, prior: ProcedureEntry | None, duration: Duration | None) -> Process:
    """Return the process: the province's own, else the plainest one there is, within the term."""
    code = f"QT-{draft.code}"
    if prior and prior.process != _plain_process(code, prior.duration):
        return prior.process
    return _plain_process(code, duration)


def _plain_process(code: str, duration: Duration | None) -> Process:
    minutes = working_minutes(duration) if duration else NO_TERM_DAYS * DAY_MINUTES
    signing = minutes // 3
    appraise = ProcessStep(
        key="appraise", name="Thẩm định hồ sơ", unit="Bộ phận chuyên môn", role="appraiser", minutes=minutes - signing
    )
    sign = ProcessStep(
        key="sign",
        name="Ký duyệt kết quả",
        unit="Lãnh đạo cơ quan",
        role="leader",
        minutes=signing,
        after=("appraise",),
        output="result",
    )
    return Process(code=code, steps=(appraise, sign))


_WORKING_MINUTES: Mapping[str, float] = {"hour": 60, "working_hour": 60, "working_day": DAY_MINUTES}


def working_minutes(term: Duration) -> int:
    """Return the working minutes that a term surely holds, whatever weekday it begins on."""
    amount, unit = term.amount, term.unit.value
    if unit == "month":
        amount, unit = amount * 28, "day"
    if unit == "day":
        weeks, rest = divmod(math.floor(amount), 7)
        return max(1, weeks * 5 + max(0, rest - 2)) * DAY_MINUTES
    if unit == "hour":
        amount = min(amount, WORK_HOURS) * max(1, amount // DAY_HOURS)
    return max(1, math.floor(amount * _WORKING_MINUTES[unit]))
