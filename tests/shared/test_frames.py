"""The frames of a publish, built by hand, are what pamqp builds and understands."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from shared.frames import publish_frames

SHORT = st.text(min_size=1, max_size=60)
EXCHANGE = st.from_regex(r"[a-zA-Z0-9._-]{1,60}", fullmatch=True)
HEADERS = st.dictionaries(st.text(min_size=1, max_size=30), st.text(max_size=300), min_size=1, max_size=12)
FRAME_MAX = st.integers(min_value=4096, max_value=9000)


def by_pamqp(
    channel: int, exchange: str, key: str, message_id: str, headers: dict[str, Any], body: bytes, room: int
) -> bytes:
    """Return the same publish as the library marshals it; it sorts the headers."""
    properties = commands.Basic.Properties(
        content_type="application/json", headers=headers, delivery_mode=2, message_id=message_id
    )
    parts: list[Any] = [
        commands.Basic.Publish(exchange=exchange, routing_key=key, mandatory=True),
        ContentHeader(0, len(body), properties),
        *(ContentBody(body[at : at + room]) for at in range(0, len(body), room)),
    ]
    return b"".join(frame.marshal(part, channel) for part in parts)


@given(st.integers(1, 65_535), EXCHANGE, SHORT, SHORT, HEADERS, st.binary(max_size=30_000), FRAME_MAX)
@example(1, "motcua.events", "intake.dossier.submitted.v1", "an id", {"ce-subject": "Hồ sơ"}, b"", 4096)
@example(1, "e", "k", "m", {"ce-id": "1"}, b"x" * (4096 - 8), 4096)
@example(1, "e", "k", "m", {"ce-id": "1"}, b"x" * (4096 - 7), 4096)
def test_frames_are_the_librarys_bytes(
    channel: int, exchange: str, key: str, message_id: str, headers: dict[str, str], body: bytes, frame_max: int
) -> None:
    in_order = dict(sorted(headers.items()))
    ours = publish_frames(
        channel,
        exchange=exchange,
        routing_key=key,
        message_id=message_id,
        headers=in_order,
        body=body,
        frame_max=frame_max,
    )
    assert ours == by_pamqp(channel, exchange, key, message_id, in_order, body, frame_max - 8)


@given(HEADERS, st.binary(max_size=20_000), FRAME_MAX)
def test_frames_are_understood_whole_and_none_is_too_long(headers: dict[str, str], body: bytes, frame_max: int) -> None:
    """Read back frame by frame, as the broker does; a frame with its eight bytes of clothing keeps the limit."""
    rest = publish_frames(
        7, exchange="e", routing_key="k", message_id="m", headers=headers, body=body, frame_max=frame_max
    )
    found: list[object] = []
    received = b""
    while rest:
        size, channel, part = frame.unmarshal(rest)
        assert channel == 7
        if isinstance(part, ContentBody):
            assert size <= frame_max
            received += part.value
        found.append(part)
        rest = rest[size:]
    publish, header = found[:2]
    assert isinstance(publish, commands.Basic.Publish)
    assert isinstance(header, ContentHeader)
    assert publish.mandatory
    assert header.body_size == len(body)
    assert (header.properties.headers or {}) == headers
    assert received == body
