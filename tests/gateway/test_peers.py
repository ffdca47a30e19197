"""Whose address and certificate it is, told by proxies in the two ways that there are."""

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.errors import TooManyAttempts
from gateway.routes.limits import LoginGuard
from gateway.routes.peers import Peers
from tests.gateway.conftest import settings_of

PROXY = "192.0.2.1"


def scope(peer: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    return {"client": (peer, 1) if peer else None, "headers": [(n.encode(), v.encode()) for n, v in headers]}


def peers(header: str = "forwarded") -> Peers:
    return Peers(proxies=["192.0.2.0/24", "2001:db8::/32"], header=header, certificate_proxies=[PROXY])


class TestForwarded:
    @pytest.mark.parametrize(
        ("said", "address"),
        [
            ("for=10.0.0.1", "10.0.0.1"),
            ('by=x;For="10.0.0.1:4711";proto=https', "10.0.0.1"),
            ('for="[2001:db9::17]:80"', "2001:db9::17"),
            ("for=1.1.1.1, for=10.0.0.1", "10.0.0.1"),
            ("for=10.0.0.1, for=192.0.2.7", "10.0.0.1"),
            ('for=1.1.1.1, for="a,for=2.2.2.2"', PROXY),
            ("for=unknown", PROXY),
            ("for=_hidden", PROXY),
            ("by=10.0.0.1", PROXY),
            ("", PROXY),
        ],
    )
    def test_is_read_from_the_nearest_hop_on(self, said: str, address: str) -> None:
        assert peers().address(scope(PROXY, ("forwarded", said))) == address

    def test_of_the_other_name_is_what_the_client_sent(self) -> None:
        assert peers().address(scope(PROXY, ("x-forwarded-for", "10.0.0.1"))) == PROXY
        assert peers("x-forwarded-for").address(scope(PROXY, ("forwarded", "for=10.0.0.1"))) == PROXY

    def test_in_several_headers_is_one_list(self) -> None:
        headers = [("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "192.0.2.7")]
        assert peers("x-forwarded-for").address(scope(PROXY, *headers)) == "10.0.0.1"

    def test_without_a_peer_is_nothing(self) -> None:
        assert peers().address(scope(None, ("forwarded", "for=10.0.0.1"))) == ""


class TestCertificate:
    @pytest.mark.parametrize("value", ["", ":", "::", ":!:", "YWJj", ":YWJj", ":" + "A" * 20_000 + ":"])
    def test_that_is_none_is_none(self, value: str) -> None:
        assert peers().certificate(scope(PROXY, ("client-cert", value))) is None

    def test_is_shown_once(self) -> None:
        header = ("client-cert", f":{base64.b64encode(b'x').decode()}:")
        assert peers().certificate(scope(PROXY, header))
        assert peers().certificate(scope(PROXY, header, header)) is None
        assert peers().certificate(scope("192.0.2.2", header)) is None


class TestGuard:
    def test_bears_several_clients_behind_one_address(self) -> None:
        guard = LoginGuard(2)
        for _ in range(2):
            guard.failed("a", "one")
        with pytest.raises(TooManyAttempts):
            guard.check("a", "one")
        guard.check("a", "two")
        for nth in range(10):
            guard.failed("a", f"other-{nth}")
        with pytest.raises(TooManyAttempts):
            guard.check("a", "two")
        guard.check("b", "one")


class TestSettings:
    @pytest.mark.parametrize(
        "wrong",
        [{"trusted_proxies": "10.0.0.1/8"}, {"certificate_proxies": "here"}, {"issuer_is_external": True}],
        ids=str,
    )
    def test_that_cannot_be_meant_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            settings_of("postgresql://x/y", "http://127.0.0.1:1", {}, **wrong)
