"""Small changes to headers and bodies, and their limits."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from gateway.data_services.policy import BodyRules, HeaderRules
from gateway.data_services.transforming import Untransformable, body_by, from_xml, headers_by, to_xml
from gateway.errors import UpstreamInvalid
from shared.errors import InvalidRequest
from tests.gateway.data_services.desk import Desk
from tests.gateway.data_services.ministry import Call
from tests.support.assertions import assert_problem

NAMES = st.text("abcdefghXYZ_", min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=20).map(
    str.strip
)
TREES: st.SearchStrategy[Any] = st.recursive(
    TEXTS.filter(bool) | st.none(), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=12
)


class TestBodies:
    @given(st.dictionaries(NAMES, TREES, min_size=2, max_size=4))
    def test_come_back_from_xml_as_they_went(self, found: dict[str, Any]) -> None:
        assert from_xml(to_xml(found)) == found

    @given(st.dictionaries(NAMES, st.integers() | st.booleans() | TEXTS, max_size=6), st.sets(NAMES), NAMES)
    def test_have_only_the_members_that_are_picked(self, found: dict[str, Any], picked: set[str], new: str) -> None:
        small = {name: value for name, value in found.items() if not isinstance(value, int) or abs(value) < 2**53}
        rules = BodyRules(pick=tuple(picked), rename={name: f"{new}.{name}" for name in picked})
        changed = orjson.loads(body_by(rules, orjson.dumps(small))[0])
        assert changed == {f"{new}.{name}": value for name, value in small.items() if name in picked}

    @pytest.mark.parametrize(
        ("xml", "expected"),
        [
            (b"<a><b>1</b><c/></a>", {"b": "1", "c": None}),
            (b"<a><b>1</b><b>2</b></a>", {"b": ["1", "2"]}),
            (b'<a x="1">text</a>', {"@x": "1", "#text": "text"}),
            (b'<n:a xmlns:n="urn:x"><n:b>\xc4\x90</n:b></n:a>', {"b": "Đ"}),
            (b"<!-- c --><a><?pi x?><b>1</b></a>", {"b": "1"}),
            (b"<a>only</a>", "only"),
        ],
    )
    def test_of_xml_become_json(self, xml: bytes, expected: object) -> None:
        assert from_xml(xml) == expected

    @pytest.mark.parametrize(
        "xml",
        [
            b"",
            b"no",
            b"<a>",
            b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            b"<a>" * 100 + b"</a>" * 100,
        ],
    )
    def test_of_dangerous_xml_are_refused(self, xml: bytes) -> None:
        with pytest.raises(Untransformable):
            from_xml(xml)

    @given(st.binary(max_size=200))
    def test_of_any_bytes_are_changed_or_refused(self, body: bytes) -> None:
        for rules in (BodyRules(format="xml_to_json"), BodyRules(format="json_to_xml"), BodyRules(pick=("a",))):
            with suppress(Untransformable):
                assert isinstance(body_by(rules, body)[0], bytes)

    def test_larger_than_a_mebibyte_are_refused(self) -> None:
        with pytest.raises(Untransformable):
            body_by(BodyRules(pick=("a",)), b"{" + b" " * 1024 * 1024 + b"}")


class TestHeaders:
    def test_are_removed_renamed_and_set_in_this_order(self) -> None:
        rules = HeaderRules(remove=("a",), rename={"b": "c"}, set={"d": "new"})
        headers = [("a", "1"), ("b", "2"), ("d", "old"), ("e", "3"), ("a", "4")]
        assert headers_by(rules, headers) == [("c", "2"), ("e", "3"), ("d", "new")]


class TestCalls:
    async def test_are_changed_on_their_way_and_back(self, desk: Desk) -> None:
        policy = {
            "request_body": {"format": "json_to_xml", "rename": {"ten": "HoTen"}},
            "response_body": {"format": "xml_to_json", "pick": ["HoTen"], "rename": {"HoTen": "ten"}},
            "request_headers": {"set": {"x-ma": "H32"}},
            "response_headers": {"remove": ["x-inner"]},
        }
        await desk.offer(policy=policy)

        async def answer(_: Call) -> Response:
            body = "<r><HoTen>An</HoTen><Mat>bí mật</Mat></r>"
            return Response(body, media_type="application/xml", headers={"x-inner": "1", "etag": '"of the xml"'})

        desk.ministry.answer = answer
        got = await desk.call("POST", "/orders", json={"ten": "An", "so": 1})
        (call,) = desk.ministry.calls
        assert from_xml(call.body) == {"HoTen": "An", "so": "1"}
        assert call.one("x-ma") == "H32"
        assert (got.json(), got.headers["content-type"]) == ({"ten": "An"}, "application/json")
        assert not {"x-inner", "etag"} & set(got.headers)

    async def test_that_cannot_be_changed_are_told_whose_fault_it_is(self, desk: Desk) -> None:
        await desk.offer(policy={"request_body": {"pick": ["a"]}, "response_body": {"pick": ["a"]}})
        assert_problem(await desk.call("POST", "/orders", content=b"not json"), InvalidRequest)
        assert desk.ministry.calls == []

        async def answer(_: Call) -> Response:
            return Response("not json either")

        desk.ministry.answer = answer
        assert_problem(await desk.call("POST", "/orders", json={}), UpstreamInvalid)
