"""The envelope on the wire: what goes in comes out, and what is no event of ours is told at the door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.envelope import RawEvent, Unreadable
from shared.ids import new_id
from tests.support.toy import Grown, raw

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
WHOLE = replace(raw("H32.14-260407-0001", 1, cause=new_id()), traceparent=TRACE)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(
    st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=100),
    st.integers(1, 2**63 - 1),
    TIMES,
    st.binary(),
)
def test_envelope_comes_out_as_it_went_in(subject: str, sequence: int, time: datetime, body: bytes) -> None:
    event = replace(WHOLE, subject=subject, sequence=sequence, time=time, body=body)
    assert RawEvent.from_message(event.headers(), body) == event
    as_bytes = {name: value.encode() for name, value in event.headers().items()}
    assert RawEvent.from_message(as_bytes, body) == event


def test_envelope_is_a_cloudevent_in_binary_mode() -> None:
    headers = WHOLE.headers()
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-source"] == "/motcua/toy"
    assert set(headers) == {
        "ce-specversion",
        "ce-id",
        "ce-type",
        "ce-source",
        "ce-subject",
        "ce-time",
        "ce-sequence",
        "ce-causationid",
        "ce-traceparent",
    }
    assert all(isinstance(value, str) for value in headers.values())
    bare = replace(WHOLE, causation_id=None, traceparent=None).headers()
    assert not {"ce-causationid", "ce-traceparent"} & set(bare)


def test_time_of_another_zone_is_read_as_utc() -> None:
    there = WHOLE.time.astimezone(timezone(timedelta(hours=7)))
    read = RawEvent.from_message(WHOLE.headers() | {"ce-time": there.isoformat()}, b"")
    assert read.time == WHOLE.time
    assert read.time.tzinfo is UTC


@pytest.mark.parametrize("name", ["ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-sequence"])
def test_missing_attribute_is_unreadable(name: str) -> None:
    headers = {key: value for key, value in WHOLE.headers().items() if key != name}
    with pytest.raises(Unreadable):
        RawEvent.from_message(headers, b"")


# What the database could not keep must not get that far: it would stop the whole queue, not one dossier.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce-id", "not-a-uuid"),
        ("ce-id", 7),
        ("ce-type", ""),
        ("ce-type", "a\0b"),
        ("ce-type", "x" * 300),
        ("ce-source", "/motcua/a\0b"),
        ("ce-source", ""),
        ("ce-subject", ""),
        ("ce-subject", "H32\0"),
        ("ce-subject", "x" * 3000),
        ("ce-subject", b"\xff\xfe"),
        ("ce-subject", None),
        ("ce-time", "yesterday"),
        ("ce-time", "2026-04-07T09:00:00"),
        ("ce-time", "0001-01-01T00:00:00+14:00"),
        ("ce-time", "9999-12-31T23:59:59-14:00"),
        ("ce-sequence", "one"),
        ("ce-sequence", "0"),
        ("ce-sequence", "-1"),
        ("ce-sequence", str(2**63)),
        ("ce-sequence", "1" * 5000),
        ("ce-causationid", "x"),
    ],
)
def test_attribute_that_cannot_be_kept_is_unreadable(name: str, value: Any) -> None:
    with pytest.raises(Unreadable):
        RawEvent.from_message(WHOLE.headers() | {name: value}, b"")


@given(st.dictionaries(st.sampled_from(sorted(WHOLE.headers())), st.text() | st.binary() | st.integers() | st.none()))
def test_any_headers_are_an_event_or_unreadable(odd: dict[str, Any]) -> None:
    try:
        event = RawEvent.from_message(WHOLE.headers() | odd, b"")
    except Unreadable:
        return
    assert 0 < event.sequence < 2**63
    assert "\0" not in event.subject + event.type + event.source
    assert event.time.tzinfo is UTC


@pytest.mark.parametrize(
    "trace", ["", "x", "00-0-0-01", "00-" + "g" * 32 + "-" + "1" * 16 + "-01", TRACE + "\0", "-" * 3]
)
def test_trace_that_is_none_is_left_out(trace: str) -> None:
    assert RawEvent.from_message(WHOLE.headers() | {"ce-traceparent": trace}, b"").traceparent is None


def test_body_that_does_not_fit_is_unreadable_without_its_values() -> None:
    person = "Nguyễn Văn Thử"
    with pytest.raises(Unreadable) as problem:
        replace(WHOLE, body=f'{{"value": "{person}", "at": []}}'.encode()).read(Grown)
    assert "value: Input should be a valid integer" in str(problem.value)
    assert person not in str(problem.value)
    assert problem.value.__cause__ is None


def test_body_may_hold_more_than_is_known() -> None:
    """Within a version fields are only added: an older reader takes the newer fact."""
    event = replace(WHOLE, body=b'{"value": 3, "at": "2026-04-07T09:00:00+07:00", "colour": "red"}').read(Grown)
    assert event.data.value == 3
    assert event.data.at == datetime(2026, 4, 7, 2, tzinfo=UTC)
