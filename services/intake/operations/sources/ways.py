"""Ways of filing: channel, term and fees of each, out of rows that repeat and contradict themselves."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from services.intake.operations.sources.drafts import FeeDraft, WayDraft
from services.intake.operations.sources.oddities import Notes
from services.intake.operations.sources.texts import amount_of, flag_of, line_of, list_of, number_of, text_of
from services.intake.queries import plain
from shared.events.values import Channel, Duration, DurationUnit

TERM_DAYS_MAX = 3650
FEE_TINY_MAX_VND = 999
"""No authority collects less: the smallest fee in force is some thousand đồng."""
CHANNELS: Mapping[str, Channel] = MappingProxyType(
    {
        "direct": Channel.DIRECT,
        "truc tiep": Channel.DIRECT,
        "tai cho": Channel.DIRECT,
        "online": Channel.ONLINE,
        "truc tuyen": Channel.ONLINE,
        "qua mang": Channel.ONLINE,
        "dien tu": Channel.ONLINE,
        "postal": Channel.POSTAL,
        "buu chinh": Channel.POSTAL,
        "buu dien": Channel.POSTAL,
        "bcci": Channel.POSTAL,
    }
)
_UNITS: Mapping[str, tuple[DurationUnit, float]] = MappingProxyType(
    {
        "working_hour": (DurationUnit.WORKING_HOUR, 1),
        "gio lam viec": (DurationUnit.WORKING_HOUR, 1),
        "working_day": (DurationUnit.WORKING_DAY, 1),
        "ngay lam viec": (DurationUnit.WORKING_DAY, 1),
        "working day": (DurationUnit.WORKING_DAY, 1),
        "month": (DurationUnit.MONTH, 1),
        "thang": (DurationUnit.MONTH, 1),
        "quarter": (DurationUnit.MONTH, 3),
        "quy": (DurationUnit.MONTH, 3),
        "year": (DurationUnit.MONTH, 12),
        "nam": (DurationUnit.MONTH, 12),
        "week": (DurationUnit.DAY, 7),
        "tuan": (DurationUnit.DAY, 7),
        "minute": (DurationUnit.WORKING_HOUR, 1 / 60),
        "phut": (DurationUnit.WORKING_HOUR, 1 / 60),
        "hour": (DurationUnit.HOUR, 1),
        "gio": (DurationUnit.HOUR, 1),
        "day": (DurationUnit.DAY, 1),
        "ngay": (DurationUnit.DAY, 1),
    }
)
"""Units of time and what one is of ours; longer words come before those that they hold."""
_DAYS = {
    DurationUnit.HOUR: 1 / 24,
    DurationUnit.WORKING_HOUR: 1 / 8 * 7 / 5,
    DurationUnit.DAY: 1.0,
    DurationUnit.WORKING_DAY: 7 / 5,
    DurationUnit.MONTH: 30.4,
}
"""About how many calendar days a unit is: enough to tell which of two terms is shorter."""
_MONEY = re.compile(r"\b(?:phi|le phi|dong)\b|\d[\d.]{3,} ?(?:d\b|dong|vnd)")
_SAME_DAY = re.compile(r"sau 15 ?(?:gio|h|g\b)")
_TERM = re.compile(r"\d+ *(?:\([^)]{1,40}\) *)?(?:ngay lam viec|ngay|gio lam viec|gio|thang)")


def read_ways(value: object, notes: Notes) -> tuple[dict[Channel, WayDraft], dict[Channel, str]]:
    """Return the ways of filing and what is noted about each, by channel."""
    ways: dict[Channel, WayDraft] = {}
    texts: dict[Channel, list[str]] = {}
    for place, one in enumerate(list_of(value, notes, "channels")):
        where = f"channels.{place}"
        said = one if isinstance(one, Mapping) else {"channel": one}
        channel = _channel(said.get("channel"), notes, where)
        if channel is None:
            continue
        note = text_of(said.get("note"), notes, f"{where}.note")
        way = _way(said, note, notes, where)
        if channel in ways:
            _take_in(ways[channel], way, channel, notes)
        else:
            ways[channel] = way
        if note and note not in texts.setdefault(channel, []):
            texts[channel].append(note)
    _compare(ways, notes)
    return ways, {channel: "\n".join(found) for channel, found in texts.items() if found}


def _channel(value: object, notes: Notes, where: str) -> Channel | None:
    words = plain(line_of(value, notes, f"{where}.channel"))
    found = next((channel for name, channel in CHANNELS.items() if name in words), None)
    if found is None:
        notes.add(f"{where}.channel", "channel_unknown", value, "this way of filing is left out")
    return found


def _way(said: Mapping[str, object], note: str, notes: Notes, where: str) -> WayDraft:
    duration = _duration(said, note, notes, where)
    words = plain(note)
    same_day = duration is None and _SAME_DAY.search(words) is not None
    if same_day:
        duration = Duration(amount=1, unit=DurationUnit.WORKING_DAY)
        notes.add(f"{where}.duration", "same_day_in_note", note, "1 working day, the next one after 15:00")
    elif duration is None and (named := _TERM.search(words)):
        found = f"the note says: {named.group()}"
        notes.add(f"{where}.duration", "duration_missing", found, "no term until one is set")
    way = WayDraft(duration, same_day)
    _read_fees(way, said, note, notes, where)
    return way


def _duration(said: Mapping[str, object], note: str, notes: Notes, where: str) -> Duration | None:
    value, unit = said.get("duration"), said.get("duration_unit")
    if value is None or value == "":
        return None
    amount = number_of(value)
    words = plain(line_of(unit, notes, f"{where}.duration_unit"))
    if not words and isinstance(value, str):
        words = plain(value)
    if amount is None or amount <= 0:
        notes.add(f"{where}.duration", "duration_unusual", value, "left out")
        return None
    found = next((length for name, length in _UNITS.items() if name in words), None)
    if found is None:
        notes.add(f"{where}.duration_unit", "unit_unknown", unit, "the term is left out")
        return None
    kind, times = _hours(found, amount, note, notes, where)
    term = Duration(amount=math.ceil(amount * times * 100) / 100, unit=kind)
    if days(term) > TERM_DAYS_MAX:
        notes.add(f"{where}.duration", "duration_unusual", f"{value} {unit}", "left out")
        return None
    return term


def _hours(
    found: tuple[DurationUnit, float], amount: float, note: str, notes: Notes, where: str
) -> tuple[DurationUnit, float]:
    """Return what hours are meant: the source has one word for hours of the clock and of work."""
    kind, times = found
    if kind is not DurationUnit.HOUR:
        return kind, times
    if "gio lam viec" in plain(note):
        notes.add(f"{where}.duration_unit", "unit_unclear", f"{amount:g} hour", "working hours, as the note says")
        return DurationUnit.WORKING_HOUR, times
    notes.add(f"{where}.duration_unit", "unit_unclear", f"{amount:g} hour", "hours of the clock, as written")
    return kind, times


def days(term: Duration) -> float:
    """Return about how many calendar days a term is."""
    return term.amount * _DAYS[term.unit]


def _read_fees(way: WayDraft, said: Mapping[str, object], note: str, notes: Notes, where: str) -> None:
    """Take the fees of a way of filing, and say what contradicts what."""
    free, rows = flag_of(said.get("free")), list_of(said.get("fees"), notes, f"{where}.fees")
    for place, one in enumerate(rows):
        if fee := _fee(one, notes, f"{where}.fees.{place}"):
            way.fees.append(fee)
    money = plain(note) if _MONEY.search(plain(note)) and re.search(r"\d[\d.]{3,}", note) else ""
    if free and way.fees:
        amounts = ", ".join(str(fee.amount_vnd) for fee in way.fees)
        decided = "the amount stands" if any(fee.amount_vnd for fee in way.fees) else "free"
        notes.add(f"{where}.free", "fee_free_with_amount", f"free beside {amounts}", decided)
    if free and money:
        notes.add(f"{where}.free", "fee_free_with_note", note, "free, as flagged; the note is kept for people")
    elif not free and not way.fees and money:
        notes.add(f"{where}.fees", "fee_only_in_note", note, "no fee until one is set; the note is kept for people")
    way.fees = _one_of_several(way.fees, notes, where)


def _fee(one: object, notes: Notes, where: str) -> FeeDraft | None:
    said = one if isinstance(one, Mapping) else {"amount": one}
    amount = amount_of(said.get("amount"))
    name = line_of(said.get("note") or said.get("name"), notes, f"{where}.note", most=500)
    if amount is None:
        notes.add(f"{where}.amount", "fee_unreadable", said.get("amount"), "left out")
        return None
    if 0 < amount <= FEE_TINY_MAX_VND:
        decided = "nothing is collected" if amount == 1 else "read as thousands of đồng"
        notes.add(f"{where}.amount", "fee_tiny", amount, decided)
        amount = 0 if amount == 1 else amount * 1000
    return FeeDraft(name, amount)


def _one_of_several(fees: list[FeeDraft], notes: Notes, where: str) -> list[FeeDraft]:
    """Keep the lowest of several fees.

    The source lists what different cases pay, not what one pays together; who owes more is asked for the rest, while
    what was taken too much would have to be given back.
    """
    fees = list(dict.fromkeys(fees))
    if len(fees) <= 1:
        return fees
    lowest = min(fees, key=lambda fee: fee.amount_vnd)
    if all(fee.amount_vnd == lowest.amount_vnd for fee in fees):
        return [lowest]
    listed = "; ".join(f"{fee.amount_vnd} {fee.name}".strip() for fee in fees)
    notes.add(f"{where}.fees", "fees_several", listed, f"the lowest, {lowest.amount_vnd}; the note names the others")
    return [lowest]


def _take_in(first: WayDraft, other: WayDraft, channel: Channel, notes: Notes) -> None:
    """Take another row of the same channel in: cases of one procedure, each with its term and fee."""
    where = f"channels.{channel}"
    terms = [term for term in (first.duration, other.duration) if term]
    if len(terms) > 1 and terms[0] != terms[1]:
        shortest = min(terms, key=days)
        listed = " or ".join(f"{term.amount:g} {term.unit}" for term in terms)
        notes.add(where, "channel_repeated", listed, f"the shortest term, {shortest.amount:g} {shortest.unit}")
    first.duration = min(terms, key=days) if terms else None
    first.same_day = first.same_day and other.same_day
    first.fees = _one_of_several([*first.fees, *other.fees], notes, where)


def _compare(ways: Mapping[Channel, WayDraft], notes: Notes) -> None:
    """Note in what the channels of one procedure disagree."""
    _drop_fillers(ways, notes)
    terms = {channel: way.duration for channel, way in ways.items() if way.duration}
    listed = ", ".join(f"{channel}: {term.amount:g} {term.unit}" for channel, term in terms.items())
    if len({term.unit for term in terms.values()}) > 1:
        notes.add("channels.duration_unit", "units_mixed", listed, "each channel keeps its own")
    elif len(set(terms.values())) > 1:
        notes.add("channels.duration", "durations_differ", listed, "each channel keeps its own")
    amounts = {channel: way.fees[0].amount_vnd if way.fees else 0 for channel, way in ways.items()}
    if len(set(amounts.values())) > 1:
        shown = ", ".join(f"{channel}: {amount}" for channel, amount in amounts.items())
        notes.add("channels.fees", "fees_differ", shown, "each channel keeps its own")
    for channel in ways if terms else ():
        if channel not in terms:
            notes.add(f"channels.{channel}.duration", "duration_missing", f"none; {listed}", "that of the others")
    if ways and not terms:
        notes.add("channels.duration", "duration_missing", "none on any channel", "no term until one is set")


def _drop_fillers(ways: Mapping[Channel, WayDraft], notes: Notes) -> None:
    """Leave out "1 hour" by post where the other channels take days: the source's form wanted some number there."""
    post = ways.get(Channel.POSTAL)
    others = [way.duration for channel, way in ways.items() if channel is not Channel.POSTAL and way.duration]
    if post is None or post.duration is None or not others or min(map(days, others)) < 1:
        return
    if post.duration.unit in {DurationUnit.HOUR, DurationUnit.WORKING_HOUR} and days(post.duration) < 1:
        found = f"{post.duration.amount:g} {post.duration.unit}"
        notes.add("channels.postal.duration", "duration_filler", found, "the term of the other channels")
        post.duration = None
