"""Time-stamps, revoked certificates and several signatures, judged offline by what lies in the trust folder."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.results.errors import CertificateExpired, CertificateRevoked, DocumentChanged, SignatureNotCovering
from services.results.storage import SignatureChecker
from shared import clock
from tests.results.authority import Authority, signed


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority(clock.now())


@pytest.fixture
async def checker(authority: Authority, tmp_path: Path) -> AsyncIterator[SignatureChecker]:
    authority.trusted_in(tmp_path)
    checker = SignatureChecker(str(tmp_path))
    yield checker
    await checker.close()


class TestTime:
    """When it was signed."""

    async def test_proven_by_a_stamp_outlives_the_certificate(
        self, checker: SignatureChecker, authority: Authority
    ) -> None:
        signer, _ = authority.signer(days=10)
        later = authority.now + timedelta(days=20)
        with pytest.raises(CertificateExpired):
            await checker.check(await asyncio.to_thread(signed, signer), later)
        stamped = await asyncio.to_thread(signed, signer, authority.stamps())
        (found,) = (await checker.check(stamped, later)).signatures
        assert (found["time_source"], found["signed_at"]) == (
            "timestamp",
            authority.now.isoformat(),
        )


class TestRevocation:
    """A certificate that its authority takes back."""

    async def test_is_noticed_when_a_list_says_so(
        self, checker: SignatureChecker, authority: Authority, tmp_path: Path
    ) -> None:
        (signer, certificate), (_, other) = authority.signer(), authority.signer()
        document = await asyncio.to_thread(signed, signer)
        assert (await checker.check(document)).signatures[0]["revocation"] == "unknown"
        authority.publish_revoked(tmp_path, other)
        assert (await checker.check(document)).signatures[0]["revocation"] == "good"
        authority.publish_revoked(tmp_path, other, certificate)
        with pytest.raises(CertificateRevoked):
            await checker.check(document)


class TestSeveral:
    """A document that several sign, one after the other."""

    async def test_is_taken_with_all_of_them(self, checker: SignatureChecker, authority: Authority) -> None:
        (one, _), (other, _) = authority.signer(), authority.signer()
        first = await asyncio.to_thread(signed, one)
        both = await asyncio.to_thread(signed, other, None, first)
        assert len((await checker.check(both)).signatures) == 2

    async def test_is_refused_with_a_change_under_the_first_or_after_the_last(
        self, checker: SignatureChecker, authority: Authority
    ) -> None:
        (one, _), (other, _) = authority.signer(), authority.signer()
        both = await asyncio.to_thread(signed, other, None, await asyncio.to_thread(signed, one))
        with pytest.raises(DocumentChanged):
            await checker.check(both.replace(b"KET QUA", b"KET QUE"))
        with pytest.raises(SignatureNotCovering):
            await checker.check(both + b"\n")
