"""/data-services/edocs: edXML between agencies, taken once, told to each recipient, opened by nobody else."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import (
    DataServiceUnknown,
    EdocAgencyExists,
    EdocAgencyUnknown,
    EdocChanged,
    EdocExpired,
    EdocInvalid,
    EdocOrder,
    EdocUnknown,
)
from gateway.operations.edocs import MOVES, expire
from gateway.operations.envelope import NAMESPACE, read_envelope
from shared import clock
from tests.gateway.hall import Hall
from tests.gateway.visitor import Visitor
from tests.support.assertions import assert_problem

PATH = "/api/v1/data-services/edocs"
SECRET_WORDS = "Gửi ông Nguyễn Văn Kín"
AGENCIES = ("H32.14", "H32.15", "H33")
WHO = {"H32.14": "edocs-h32.14", "H32.15": "edocs-h32", "H33": "edocs-h33"}


def envelope(
    sender: str = "000.00.14.H32",
    to: tuple[str, ...] = ("000.00.00.H33",),
    number: str = "123",
    *,
    subject: str = SECRET_WORDS,
    head: str = '<?xml version="1.0" encoding="utf-8"?>',
    trace: str = "",
) -> bytes:
    """Return an envelope as the SDKs in use write it."""
    recipients = "".join(f"<edXML:To><edXML:OrganId>{one}</edXML:OrganId></edXML:To>" for one in to)
    return f"""{head}<edXML xmlns="{NAMESPACE}"><edXML:edXMLEnvelope xmlns:edXML="{NAMESPACE}"><edXML:edXMLHeader>
    <edXML:MessageHeader><edXML:From><edXML:OrganId>{sender}</edXML:OrganId></edXML:From>{recipients}
    <edXML:Code><edXML:CodeNumber>{number}</edXML:CodeNumber><edXML:CodeNotation>UBND-VP</edXML:CodeNotation></edXML:Code>
    <edXML:PromulgationInfo><edXML:PromulgationDate>2026/04/07</edXML:PromulgationDate></edXML:PromulgationInfo>
    <edXML:Subject>{subject}</edXML:Subject></edXML:MessageHeader>{trace}</edXML:edXMLHeader></edXML:edXMLEnvelope>
    <AttachmentEncoded><Attachment>{"QUJD" * 100}</Attachment></AttachmentEncoded></edXML>""".encode()


@pytest.fixture
async def axis(visitor: Visitor) -> Visitor:
    """Lend the door with three agencies that take part."""
    for code in AGENCIES:
        answer = await visitor.post(f"{PATH}/agencies", who=WHO[code], json={"code": code, "name": f"UBND {code}"})
        assert answer.status_code == 201, answer.text
    return visitor


async def send(axis: Visitor, content: bytes, *, who: str = "edocs-h32.14", **more: Any) -> Any:
    body = {"type": "edoc", "data": base64.b64encode(content).decode()}
    return await axis.post(f"{PATH}/documents", who=who, json=body, **more)


async def sent(axis: Visitor, **more: Any) -> str:
    """Return the id of a document that was sent."""
    answer = await send(axis, envelope(**more))
    assert (answer.status_code, answer.json()["status"], answer.json()["errorCode"]) == (201, "OK", "0"), answer.text
    return answer.json()["docId"]


async def box(axis: Visitor, who: str, **query: Any) -> list[dict[str, Any]]:
    return (await axis.get(f"{PATH}/documents", who=who, params=query)).json()["data"]


async def report(axis: Visitor, doc: str, status: str, *, who: str = "edocs-h33", **more: Any) -> Any:
    return await axis.send("PUT", f"{PATH}/documents/{doc}", who=who, json={"status": status, **more})


class TestSend:
    """Handing in a document."""

    async def test_reaches_every_recipient_whole_with_a_status_of_its_own(self, axis: Visitor) -> None:
        content = envelope(to=("000.00.00.H33", "H32.15"))
        doc = (await send(axis, content)).json()["docId"]
        await report(axis, doc, "PROCESSING")
        for who in ("edocs-h33", "edocs-h32", "edocs-h32.14"):
            found = (await axis.get(f"{PATH}/documents/{doc}", who=who)).json()["data"]
            assert base64.b64decode(found["content"]) == content
        statuses = {one["agency"]: one["status"] for one in found["recipients"]}
        assert statuses == {"H33": "PROCESSING", "H32.15": "INITIAL"}
        seen = (await axis.get(f"{PATH}/documents/{doc}", who="edocs-h33")).json()["data"]["recipients"]
        assert [one["agency"] for one in seen] == ["H33"]

    async def test_twice_is_one_document_also_at_the_same_moment(self, axis: Visitor, house: Hall) -> None:
        answers = await asyncio.gather(*(send(axis, envelope()) for _ in range(8)))
        assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
        assert len({one.json()["docId"] for one in answers}) == 1
        assert await house.count("edoc_recipient") == 1
        other = await send(axis, envelope(subject="Khác"))
        assert_problem(other, EdocChanged)

    async def test_leaves_nothing_readable_behind(self, axis: Visitor, house: Hall) -> None:
        await sent(axis)
        (row,) = await house.rows("SELECT * FROM edoc")
        words = (SECRET_WORDS.encode(), b"UBND-VP</edXML")
        assert not any(word in bytes(value) for value in row.values() if isinstance(value, bytes) for word in words)
        log = await house.rows("SELECT * FROM transaction_log")
        assert SECRET_WORDS not in str([dict(one) for one in log])

    async def test_in_anothers_name_or_to_nobody_is_refused(self, axis: Visitor) -> None:
        for content, field in (
            (envelope(sender="H33"), "MessageHeader/From/OrganId"),
            (envelope(to=("H34", "H33")), "MessageHeader/To/OrganId"),
        ):
            answer = await send(axis, content)
            assert_problem(answer, EdocInvalid)
            assert [one["field"] for one in answer.json()["errors"]] == [field]
        assert_problem(await send(axis, envelope(), who="statistics"), DataServiceUnknown)

    async def test_of_what_is_no_base64_is_refused(self, axis: Visitor) -> None:
        answer = await axis.post(f"{PATH}/documents", who="edocs-h32.14", json={"data": "@@@"})
        assert_problem(answer, EdocInvalid)


class TestRead:
    """Who sees what."""

    async def test_is_for_sender_and_recipients_alone(self, axis: Visitor) -> None:
        doc = await sent(axis, to=("H32.15",))
        assert_problem(await axis.get(f"{PATH}/documents/{doc}", who="edocs-h33"), EdocUnknown)
        assert_problem(await report(axis, doc, "PROCESSING"), EdocUnknown)
        assert_problem(await report(axis, doc, "PROCESSING", who="edocs-h32.14"), EdocUnknown)
        assert await box(axis, "edocs-h33") == []

    async def test_pages_and_filters_lead_through_the_inbox(self, axis: Visitor) -> None:
        made = [await sent(axis, number=str(nth)) for nth in range(5)]
        await report(axis, made[1], "PROCESSING")
        page = (await axis.get(f"{PATH}/documents", who="edocs-h33", params={"limit": 2})).json()
        rest = await box(axis, "edocs-h33", cursor=page["next_cursor"])
        assert [one["docId"] for one in [*page["data"], *rest]] == made
        assert [one["docId"] for one in await box(axis, "edocs-h33", status="PROCESSING")] == [made[1]]
        assert [one["docId"] for one in await box(axis, "edocs-h32.14", box="sent")] == made

    async def test_of_an_inbox_misses_nothing_while_many_send(self, axis: Visitor) -> None:
        sending = asyncio.gather(*(sent(axis, number=str(nth)) for nth in range(20)))
        page: dict[str, Any] = {}
        seen, cursor, over = [], "0", False
        while not over or page["data"]:
            over = sending.done()
            page = (await axis.get(f"{PATH}/documents", who="edocs-h33", params={"cursor": cursor})).json()
            seen += [one["docId"] for one in page["data"]]
            cursor = page["next_cursor"]
        assert sorted(seen) == sorted(await sending)


class TestReport:
    """How far a recipient is."""

    @pytest.mark.parametrize("way", [("PROCESSING", "DONE"), ("FAIL", "PROCESSING", "FAIL"), ("PROCESSING", "FAIL")])
    async def test_goes_its_way_and_no_other(self, axis: Visitor, way: tuple[str, ...]) -> None:
        doc, at = await sent(axis), "INITIAL"
        for step in way:
            for wrong in set(MOVES) - MOVES[at] - {at}:
                assert_problem(await report(axis, doc, wrong), EdocOrder)
            assert (await report(axis, doc, step)).json()["data"]["status"] == step
            assert (await report(axis, doc, step)).status_code == 200
            at = step

    async def test_sends_the_sender_a_receipt_once(self, axis: Visitor) -> None:
        doc = await sent(axis)
        await report(axis, doc, "PROCESSING")
        for _ in range(2):
            await report(axis, doc, "DONE")
        (receipt,) = await box(axis, "edocs-h32.14")
        assert (receipt["type"], receipt["about"], receipt["sender"]) == ("receipt", doc, "H33")
        found = (await axis.get(f"{PATH}/documents/{receipt['docId']}", who="edocs-h32.14")).json()["data"]
        status = etree.fromstring(base64.b64decode(found["content"])).find(".//{*}Status")
        assert [status.findtext(f".//{{*}}{name}") for name in ("StatusCode", "DocId")] == ["03", doc]
        assert status.findtext("{*}From/{*}OrganId") == "000.00.00.H33"
        for step in ("PROCESSING", "DONE"):
            await report(axis, receipt["docId"], step, who="edocs-h32.14")
        assert await box(axis, "edocs-h33", box="inbox") == [
            one for one in await box(axis, "edocs-h33") if one["docId"] == doc
        ]

    async def test_names_which_of_several_agencies_it_is(self, axis: Visitor) -> None:
        doc = await sent(axis, sender="H32.14", to=("H32.14", "H32.15"))
        assert_problem(await report(axis, doc, "PROCESSING", who="edocs-h32"), EdocInvalid)
        done = await report(axis, doc, "PROCESSING", who="edocs-h32", agency="000.00.15.H32")
        assert done.json()["data"]["agency"] == "H32.15"

    async def test_is_over_when_the_document_is(self, axis: Visitor, house: Hall) -> None:
        doc = await sent(axis)
        async with house.database.session() as session:
            assert await expire(session, clock.now() + timedelta(days=31)) == 1
        assert_problem(await axis.get(f"{PATH}/documents/{doc}", who="edocs-h33"), EdocExpired)
        assert_problem(await report(axis, doc, "PROCESSING"), EdocExpired)
        assert await box(axis, "edocs-h33") == []
        assert [row["content"] for row in await house.rows("SELECT content FROM edoc")] == [None]


class TestAgencies:
    """Who takes part."""

    async def test_are_listed_by_province_or_all_in_both_forms(self, axis: Visitor) -> None:
        async def codes(**query: Any) -> list[tuple[str, str]]:
            rows = (await axis.get(f"{PATH}/agencies", who="edocs-h32", params=query)).json()["data"]
            return [(one["code"], one["old_code"]) for one in rows]

        assert await codes() == [("H32.14", "000.00.14.H32"), ("H32.15", "000.00.15.H32"), ("H33", "000.00.00.H33")]
        assert await codes(scope="province") == (await codes())[:2]

    async def test_can_be_cancelled_and_come_back(self, axis: Visitor) -> None:
        again = {"code": "000.00.00.H33", "name": "UBND"}
        assert_problem(await axis.post(f"{PATH}/agencies", who="edocs-h33", json=again), EdocAgencyExists)
        assert (await axis.send("PUT", f"{PATH}/agencies/H33/cancel", who="edocs-h33")).status_code == 200
        assert_problem(await send(axis, envelope()), EdocInvalid)
        assert (await axis.post(f"{PATH}/agencies", who="edocs-h33", json=again)).status_code == 201
        assert (await send(axis, envelope())).status_code == 201

    async def test_of_others_are_not_ours_to_change(self, axis: Visitor) -> None:
        cancelled = await axis.send("PUT", f"{PATH}/agencies/H33/cancel", who="edocs-h32")
        assert_problem(cancelled, EdocAgencyUnknown)
        added = await axis.post(f"{PATH}/agencies", who="edocs-h32", json={"code": "H34", "name": "x"})
        assert_problem(added, EdocAgencyUnknown)


class TestEnvelope:
    """Reading edXML from strangers."""

    @pytest.mark.parametrize("sender", ["000.00.00.H29", "H29"])
    def test_takes_both_forms_of_an_agency(self, sender: str) -> None:
        assert read_envelope(envelope(sender)).sender == "H29"

    def test_calls_a_document_as_its_sender_does(self) -> None:
        assert read_envelope(envelope()).document_id == "123/UBND-VP@2026/04/07"
        assert read_envelope(envelope(trace='<edXML:TraceHeaderList id="T-1"/>')).document_id == "T-1"

    def test_takes_large_attachments(self) -> None:
        large = envelope().replace(b"QUJD" * 100, b"QUJD" * 4_000_000)
        assert read_envelope(large).recipients == ("H33",)

    @pytest.mark.parametrize(
        "content",
        [
            envelope(head='<!DOCTYPE edXML [<!ENTITY x "y">]>', subject="&x;"),
            envelope(head='<!DOCTYPE edXML SYSTEM "http://127.0.0.1/x.dtd">'),
            envelope(head='<!doctype edXML [<!ENTITY x SYSTEM "file:///etc/passwd">]>', subject="&x;"),
            envelope().decode().encode("utf-16"),
            envelope(head='<?xml version="1.0" encoding="utf-7"?>'),
            envelope(subject="<a>" * 100 + "</a>" * 100),
            envelope(subject="<a/>" * 30_000),
            envelope()[:-10],
            envelope() + b"<more/>",
            envelope().replace(b"QCVN_102_2016", b"QCVN_102_2010"),
            b"",
            b"\x00",
            b"<edXML/>",
        ],
        ids=range(13),
    )
    def test_refuses_what_is_dangerous_or_none(self, content: bytes) -> None:
        with pytest.raises(EdocInvalid):
            read_envelope(content)

    @pytest.mark.parametrize("element", ["OrganId>000.00.14.H32", "CodeNumber>123", "Subject>" + SECRET_WORDS])
    def test_names_what_is_lacking(self, element: str) -> None:
        name, _, text = element.partition(">")
        with pytest.raises(EdocInvalid) as refused:
            read_envelope(envelope().replace(f"{name}>{text}<".encode(), f"{name}><".encode()))
        assert all(error.field.endswith(name) for error in refused.value.errors)

    @given(st.binary(max_size=300), st.integers(0, 900))
    def test_is_taken_or_refused_whatever_comes(self, noise: bytes, at: int) -> None:
        content = envelope()
        try:
            read_envelope(content[:at] + noise + content[at:])
        except EdocInvalid:
            return
