"""Time stamps on the log's head: they catch whoever has the database and the evidence key too."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms

from gateway.operations.evidence import (
    Anchor,
    Unproven,
    Verdict,
    check,
    check_all,
    read_anchor_files,
    read_anchors,
    read_roots,
)
from gateway.stamping import AuthorityRefused, StampingAuthority, token_of
from tests.gateway.hall import Hall
from tests.gateway.ledger import KEY, LAST, SIZE, administrator, logged, rehash, verdict, write
from tests.gateway.notary import Notary, notary_in
from tests.support.assertions import eventually
from tests.support.bus import running
from tests.support.gate import gate_before


@pytest.fixture(scope="module")
async def notary(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Notary]:
    async with notary_in(tmp_path_factory.mktemp("notary")) as notary:
        yield notary


@pytest.fixture
async def log(hall: Hall, tmp_path: Path) -> AsyncIterator[Hall]:
    async with logged(hall, tmp_path):
        yield hall


async def anchored(log: Hall, notary: Notary, folder: Path) -> Anchor:
    """Anchor a log's head; return the anchor."""
    anchoring = notary.anchoring(log.database, folder=str(folder))
    made = await anchoring.attempt(every_s=0)
    assert made, anchoring.last_error
    return made


async def verified(log: Hall, notary: Notary, folder: Path) -> Verdict:
    """Verify a log with the stamps that are kept beside the witness."""
    proven, unproven = await check_all(read_anchor_files(folder), read_roots(notary.root))
    assert not unproven
    return await verdict(log.database, anchored=proven)


class TestAnchor:
    """Stamping the head."""

    async def test_is_kept_in_the_database_and_beside_the_witness(
        self, log: Hall, notary: Notary, tmp_path: Path
    ) -> None:
        made = await anchored(log, notary, tmp_path)
        async with administrator(log.database) as connection:
            assert await read_anchors(connection) == [made] == list(read_anchor_files(tmp_path))
        found = await verified(log, notary, tmp_path)
        assert (found.sound, found.anchors, found.anchored) == (True, 1, LAST)
        assert found.anchored_at

    async def test_is_made_once_for_a_head_and_a_day(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        anchoring = notary.anchoring(log.database, folder=str(tmp_path))
        await asyncio.gather(*(anchoring.attempt(every_s=0) for _ in range(4)))
        assert await anchoring.attempt(every_s=0) is None
        await write(log.database, [50])
        assert await anchoring.attempt(every_s=86_400) is None
        assert await log.count("transaction_anchor") == 1
        await anchoring.end()
        numbers = await log.rows("SELECT number FROM transaction_anchor ORDER BY number")
        assert [row["number"] for row in numbers] == [LAST, LAST + 1]

    async def test_waits_while_the_authority_is_away(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        """Nothing else waits; it is made when the authority is back, by itself."""
        async with gate_before(notary.url) as gate:
            gate.shut()
            anchoring = notary.anchoring(log.database, url=gate.url, folder=str(tmp_path))

            async def failed() -> bool:
                return anchoring.last_error.startswith("AuthorityAway")

            async def made() -> bool:
                return await log.count("transaction_anchor") == 1

            async with running(anchoring.run(turn_s=0.05)):
                await eventually(failed)
                await write(log.database, [50])
                await gate.open()
                await eventually(made)
            assert anchoring.last_error == ""

    async def test_of_an_authority_that_is_not_trusted_is_not_kept(
        self, log: Hall, notary: Notary, tmp_path: Path
    ) -> None:
        async with notary_in(tmp_path / "other") as other:
            anchoring = notary.anchoring(log.database, url=other.url)
            assert await anchoring.attempt(every_s=0) is None
        assert "does not lead to a trusted authority" in anchoring.last_error
        assert await log.count("transaction_anchor") == 0


class TestToken:
    """What a token proves is checked offline."""

    async def test_holds_for_its_own_head_alone(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        made, roots = await anchored(log, notary, tmp_path), read_roots(notary.root)
        assert (await check(made, roots)).number == LAST
        for other in (replace(made, number=LAST - 1), replace(made, hash=bytes(32))):
            with pytest.raises(Unproven, match="something else"):
                await check(other, roots)

    async def test_is_refused_when_a_byte_of_it_changed(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        made, roots, chance = await anchored(log, notary, tmp_path), read_roots(notary.root), random.Random(1)
        inside = cms.ContentInfo.load(made.token)["content"]
        parts = [inside["encap_content_info"].dump(), inside["signer_infos"].dump()]
        for part in parts:
            start = made.token.index(part)
            for place in chance.sample(range(start + 40, start + len(part)), 8):
                changed = bytearray(made.token)
                changed[place] ^= 1
                with pytest.raises(Unproven):
                    await check(replace(made, token=bytes(changed)), roots)

    async def test_of_another_policy_is_refused(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        made = await anchored(log, notary, tmp_path)
        with pytest.raises(Unproven, match="policy"):
            await check(made, read_roots(notary.root), policy="1.2.3.4")
        with pytest.raises(AuthorityRefused, match="unaccepted_policy"):
            await StampingAuthority(notary.url, policy="1.2.3.4").stamp(bytes(32))

    async def test_is_none_without_a_reply(self) -> None:
        for reply in (b"", b"<html>", bytes(100)):
            with pytest.raises(Exception, match="no RFC 3161 reply"):
                token_of(reply, bytes(32), 1)


class TestTheft:
    """Database and evidence key in the wrong hands: every hash and signature is right, the stamps are not."""

    @pytest.mark.parametrize("seed", range(4))
    async def test_of_the_key_does_not_help_to_rewrite(
        self, log: Hall, notary: Notary, tmp_path: Path, seed: int
    ) -> None:
        """The first record that bears a stamp at or after the place is named, and since when all is in doubt."""
        folder = tmp_path / "kept"
        await anchored(log, notary, folder)
        await write(log.database, range(LAST + 1, 2 * LAST + 1))
        await anchored(log, notary, folder)
        await write(log.database, range(2 * LAST + 1, 2 * LAST + SIZE + 1))
        at = random.Random(seed).randint(1, 2 * LAST)
        async with administrator(log.database) as connection:
            await connection.execute("UPDATE transaction_log SET client_id = 'nobody' WHERE number = $1", at)
            await rehash(connection, at, KEY)
        assert (await verdict(log.database)).sound, "without stamps nobody would know"
        found = await verified(log, notary, folder)
        stamped = LAST if at <= LAST else 2 * LAST
        assert (found.findings[0].number, found.findings[0].kind) == (stamped, "altered")
        assert f"records {1 if at <= LAST else LAST + 1} to {stamped} are in doubt" in found.findings[0].detail

    async def test_does_not_help_to_cut_the_end_off(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        await anchored(log, notary, tmp_path / "kept")
        await log.rows("DELETE FROM transaction_log WHERE number > 8")
        found = await verified(log, notary, tmp_path / "kept")
        assert (found.findings[0].number, found.findings[0].kind) == (9, "truncated")

    async def test_does_not_help_to_date_a_record_later(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        """A record cannot have been stored after it was stamped."""
        made = await anchored(log, notary, tmp_path / "kept")
        proven = await check(made, read_roots(notary.root))
        found = await verdict(log.database, anchored=[replace(proven, at=proven.at - timedelta(minutes=10))])
        assert (found.findings[0].number, found.findings[0].kind) == (LAST, "altered")
        assert "after it was time-stamped" in found.findings[0].detail

    async def test_of_stamps_is_seen(self, log: Hall, notary: Notary, tmp_path: Path) -> None:
        """A token that was put in the place of another proves nothing, and that is said."""
        made = await anchored(log, notary, tmp_path)
        other = base64.b64decode(base64.b64encode(made.token[:-1] + b"\0"))
        _, unproven = await check_all([made, replace(made, token=other)], read_roots(notary.root))
        assert [finding.kind for finding in unproven] == ["unproven"]
