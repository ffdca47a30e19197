"""Addresses that others name: none of them leads inside, whatever its form and whatever its name answers."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from shared.outgoing import AddressRefused, NoAnswer, Outgoing, Policy
from tests.support.serving import serving

STRICT = Policy()
PUBLIC = "8.8.8.8"
INSIDE = [
    IPv4Network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
    )
]


def _number(value: int, base: str) -> str:
    return {"decimal": str(value), "octal": f"0{value:o}", "hex": f"0x{value:x}"}[base]


@st.composite
def inner_hosts(draw: st.DrawFn) -> str:
    """Draw an inner IPv4 address in a form that some software somewhere reads as one."""
    address = draw(st.sampled_from(INSIDE).flatmap(lambda network: st.ip_addresses(v=4, network=network)))
    base = draw(st.sampled_from(["decimal", "octal", "hex"]))
    octets = list(address.packed)
    parts = draw(st.integers(1, 4))
    last = int.from_bytes(bytes(octets[parts - 1 :]))
    written = ".".join(_number(value, base) for value in [*octets[: parts - 1], last])
    return written + draw(st.sampled_from(["", "."]))


def _embedded(prefix: str, inner: IPv4Address | IPv6Address, shift: int = 0) -> str:
    return str(IPv6Address(int(IPv6Address(prefix)) | int(inner) << shift))


inner_v4 = st.sampled_from(INSIDE).flatmap(lambda network: st.ip_addresses(v=4, network=network))
inner_v6 = st.one_of(
    inner_v4.map(lambda one: _embedded("::ffff:0:0", one)),
    inner_v4.map(lambda one: f"::ffff:{one}"),
    inner_v4.map(lambda one: _embedded("64:ff9b::", one)),
    inner_v4.map(lambda one: _embedded("64:ff9b:1::", one)),
    inner_v4.map(lambda one: _embedded("2002::", one, 80)),
    inner_v4.map(lambda one: _embedded("::", one)),
    *(
        st.ip_addresses(v=6, network=network).map(str)
        for network in ("::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001::/32", "2001:db8::/32")
    ),
)
decoration = st.sampled_from(["https://{}/", "https://{}:443/hook", "https://{}?x=1"])


class TestForm:
    """Decided without looking anything up."""

    @given(inner_hosts(), decoration)
    def test_of_an_inner_address_is_refused_however_it_is_written(self, host: str, shape: str) -> None:
        with pytest.raises(AddressRefused):
            STRICT.examine(shape.format(host))

    @given(inner_v6, st.sampled_from([str.lower, str.upper, lambda one: IPv6Address(one).exploded]))
    def test_of_an_inner_ipv6_address_is_refused(self, host: str, spelt: Callable[[str], str]) -> None:
        with pytest.raises(AddressRefused):
            STRICT.examine(f"https://[{spelt(host)}]/")

    @pytest.mark.parametrize(
        "url",
        [
            *("http://example.vn/", "ftp://example.vn/", "file:///etc/passwd", "gopher://example.vn/", "//example.vn/"),
            *("example.vn", "", "https://", "https:///hook", "https://user@example.vn/", "https://u:p@example.vn/"),
            *("https://@example.vn/", "https://example.vn@127.0.0.1/", "https://127.0.0.1#@example.vn/"),
            *("https://example.vn:22/", "https://example.vn:0/", "https://example.vn:99999/", "https://example.vn/#a"),
            *("https://localhost/", "https://intake/", "https://example.vn./", "https://localhost./"),
            *("https://127.0.0.1.:443/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://%31%32%37.0.0.1/"),
            *("https://[fe80::1%25eth0]/", "https://[2606:4700::1%25eth0]/", "https://[::]/", "https://[::1/"),
            *(
                "https://exa mple.vn/",
                "https://example.vn\\@127.0.0.1/",
                "https://example.vn/\r\nX: y",
                "\thttps://a.vn",
            ),
            *("https://a_b.example.vn/", "https://-a.example.vn/", "https://a..vn/", "https://example.0x7f/"),
            *(f"https://{'a' * 64}.vn/", f"https://example.vn/{'a' * 2000}", "https://x.127/", "https://0/"),
        ],
    )
    def test_that_is_odd_is_refused(self, url: str) -> None:
        with pytest.raises(AddressRefused) as refused:
            STRICT.examine(url)
        assert refused.value.errors[0].field == "url"

    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://example.vn/hook?x=1", "example.vn"),
            ("HTTPS://EXAMPLE.VN/", "example.vn"),
            ("https://hộp-thư.tỉnh.vn/", "xn--hp-th-64a8539c.xn--tnh-zna0l.vn"),
            (f"https://{PUBLIC}/", PUBLIC),
            ("https://[2606:4700:4700::1111]:443/", "2606:4700:4700::1111"),
        ],
    )
    def test_that_is_plain_is_taken(self, url: str, host: str) -> None:
        found = STRICT.examine(url).raw_host
        assert found == host or (found or "").startswith("xn--")

    @given(st.text(max_size=60), decoration)
    def test_is_taken_or_refused_whatever_is_sent(self, host: str, shape: str) -> None:
        try:
            STRICT.examine(shape.format(host))
        except AddressRefused:
            return


class TestPolicy:
    """What a province allows beyond the usual."""

    def test_opens_a_network_a_host_ports_and_plain_http(self) -> None:
        policy = Policy.read(allowed="10.1.0.0/16, receiver", ports="443,8000-8099", http=True)
        assert policy.examine("http://10.1.2.3:8080/").port == 8080
        assert policy.examine("https://receiver/").raw_host == "receiver"
        for url in (
            "http://10.2.0.1:8080/",
            "https://receiver:9000/",
            "https://receiver2/",
            "https://[::ffff:10.1.2.3]/",
        ):
            with pytest.raises(AddressRefused):
                policy.examine(url)

    def test_closes_a_public_network(self) -> None:
        with pytest.raises(AddressRefused):
            Policy.read(refused="8.8.0.0/16").examine(f"https://{PUBLIC}/")

    @pytest.mark.parametrize("allowed", ["10.0.0.0/33", "10.0.0.1/8", "a b", "*.vn", "ho_st"])
    def test_that_is_malformed_is_not_read(self, allowed: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            Policy.read(allowed=allowed)

    @given(st.ip_addresses())
    def test_takes_no_address_that_python_calls_private(self, address: Any) -> None:
        if not address.is_global or address.is_multicast:
            assert not STRICT.takes(address)


def _answers(*rounds: Sequence[str]) -> Callable[[str], Awaitable[list[str]]]:
    """Return a resolver that answers differently each time; the last answer stays."""
    left = list(rounds)

    async def lookup(_: str) -> list[str]:
        return list(left.pop(0) if len(left) > 1 else left[0])

    return lookup


class Receiver:
    """A server on this very machine, where no call may arrive unless it is allowed to."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.hosts.append(request.headers["host"])
        await self.answer(request.url.path)(scope, receive, send)

    @staticmethod
    def answer(path: str) -> Response:
        """Return what a path answers."""
        if path == "/redirect":
            return RedirectResponse("/elsewhere")
        if path == "/large":
            return PlainTextResponse("x" * 1_000_000)
        if path == "/packed":
            return Response(gzip.compress(b"0" * 1_000_000), headers={"content-encoding": "gzip"})
        return PlainTextResponse("here")


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    app = Receiver()
    async with serving(app) as url:
        yield app, url.rpartition(":")[2]


@asynccontextmanager
async def opened(lookup: Any = None, **policy: Any) -> AsyncIterator[Outgoing]:
    async with Outgoing(Policy.read(ports="1-65535", http=True, timeout_s=2, **policy), lookup=lookup) as outgoing:
        yield outgoing


async def call(outgoing: Outgoing, url: str) -> Any:
    return await outgoing.send("POST", url, headers={}, body=b"{}")


class TestCall:
    """Goes where its name was seen to lead, and nowhere else."""

    async def test_to_a_name_that_is_bound_anew_does_not_arrive(self, receiver: tuple[Receiver, str]) -> None:
        """Public when it was given and looked at, inside when it is called: the trick of DNS rebinding."""
        url = f"http://rebound.example.vn:{receiver[1]}/"
        async with opened(_answers([PUBLIC], ["127.0.0.1"])) as outgoing:
            await outgoing.check(url)
            with pytest.raises(AddressRefused):
                await call(outgoing, url)
        assert receiver[0].hosts == []

    @pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"])
    async def test_to_a_name_with_one_inner_address_among_others_is_refused(self, inside: str) -> None:
        async with opened(_answers([PUBLIC, inside])) as outgoing:
            with pytest.raises(AddressRefused):
                await outgoing.check("https://mixed.example.vn/")
            with pytest.raises(AddressRefused):
                await call(outgoing, "https://mixed.example.vn/")

    async def test_goes_to_the_address_that_was_looked_at(self, receiver: tuple[Receiver, str]) -> None:
        async with opened(_answers(["127.0.0.1"]), allowed="127.0.0.0/8") as outgoing:
            reply = await call(outgoing, f"http://anything.example.vn:{receiver[1]}/")
        assert (reply.status, reply.body) == (200, b"here")
        assert receiver[0].hosts == [f"anything.example.vn:{receiver[1]}"]

    async def test_does_not_slip_in_below_the_door(self, receiver: tuple[Receiver, str]) -> None:
        """Even a call that nobody examined gets no socket to an inner address."""
        async with opened() as outgoing:
            session = outgoing._session
            assert session is not None
            with pytest.raises(OSError, match="Cannot connect"):
                await session.get(f"http://127.0.0.1:{receiver[1]}/")
        assert receiver[0].hosts == []

    async def test_asks_no_proxy_of_the_environment(
        self, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{receiver[1]}")
        async with opened(_answers(["127.0.0.2"]), allowed="127.0.0.2/32") as outgoing:
            with pytest.raises(NoAnswer):
                await call(outgoing, "http://name.example.vn:9/")
        assert receiver[0].hosts == []

    async def test_to_a_name_that_leads_nowhere_has_no_answer(self) -> None:
        async def nowhere(_: str) -> list[str]:
            raise OSError("no such name")

        async with opened(nowhere) as outgoing:
            await outgoing.check("https://nowhere.example.vn/")
            with pytest.raises(NoAnswer, match="name_unknown"):
                await call(outgoing, "https://nowhere.example.vn/")


class TestAnswer:
    """Is read as far as it is needed."""

    async def test_that_redirects_is_not_followed(self, receiver: tuple[Receiver, str]) -> None:
        async with opened(allowed="127.0.0.1") as outgoing:
            assert (await call(outgoing, f"http://127.0.0.1:{receiver[1]}/redirect")).status == 307
        assert len(receiver[0].hosts) == 1

    async def test_that_is_large_is_cut(self, receiver: tuple[Receiver, str]) -> None:
        async with opened(allowed="127.0.0.1", answer_bytes_max=1000) as outgoing:
            reply = await call(outgoing, f"http://127.0.0.1:{receiver[1]}/large")
        assert (len(reply.body), reply.cut) == (1000, True)

    async def test_that_is_packed_stays_so(self, receiver: tuple[Receiver, str]) -> None:
        async with opened(allowed="127.0.0.1") as outgoing:
            reply = await call(outgoing, f"http://127.0.0.1:{receiver[1]}/packed")
        assert len(reply.body) < 10_000

    async def test_that_does_not_come_is_not_waited_for(self) -> None:
        async def silent(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            while (await receive())["type"] != "http.disconnect":
                pass

        async with serving(silent) as url, opened(allowed="127.0.0.1") as outgoing:
            with pytest.raises(NoAnswer, match="timeout"):
                await call(outgoing, url)

    async def test_of_a_closed_port_says_nothing_about_the_network(self) -> None:
        async with opened(allowed="127.0.0.1") as outgoing:
            with pytest.raises(NoAnswer, match=r"^no_connection$"):
                await call(outgoing, "http://127.0.0.1:1/")


def test_networks_are_named_whole() -> None:
    """A slip in a network's mask would open or close too much."""
    assert {network.prefixlen for network in INSIDE} == {4, 8, 10, 12, 15, 16, 32}
    assert not STRICT.takes(IPv4Address("172.31.255.255"))
    assert STRICT.takes(IPv4Address("172.32.0.0"))
