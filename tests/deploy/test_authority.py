"""The local time-stamping authority, by tools that others wrote: openssl and pyHanko; and our client by theirs."""

import asyncio
import hashlib
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from asn1crypto import algos, cms, pem, tsp, x509
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.authority.stamping import POLICY
from gateway.operations.evidence import Anchor, check, imprint, read_roots
from gateway.operations.evidence.chain import head_message
from gateway.stamping import QUERY, REPLY, Reply, StampingAuthority, query
from tests.gateway.notary import Notary, notary_in
from tests.support.serving import serving

DATA = b"motcua"
DIGEST = hashlib.sha256(DATA).digest()


@pytest.fixture
async def notary(tmp_path: Path) -> AsyncIterator[Notary]:
    async with notary_in(tmp_path / "authority") as notary:
        yield notary


async def openssl(*words: str | Path) -> str:
    """Run openssl; return what it said."""
    done = await asyncio.to_thread(
        subprocess.run, ["openssl", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


async def ask(notary: Notary, body: bytes, content_type: str = QUERY) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(notary.url, content=body, headers={"content-type": content_type})


def read(answer: httpx.Response) -> Any:
    assert (answer.status_code, answer.headers["content-type"]) == (200, REPLY)
    return Reply.load(answer.content)


def stamped_of(token: bytes) -> Any:
    return cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed.native


class TestOpenssl:
    """openssl ts asks, reads and verifies."""

    @pytest.mark.parametrize("certificates", [True, False], ids=["with its certificate", "without"])
    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    async def test_accepts_the_reply(self, notary: Notary, tmp_path: Path, algorithm: str, certificates: bool) -> None:
        data, asked, reply = (tmp_path / name for name in ("data", "asked.tsq", "reply.tsr"))
        data.write_bytes(DATA)
        more = ["-cert"] if certificates else []
        await openssl("ts", "-query", "-data", data, f"-{algorithm}", *more, "-out", asked)
        reply.write_bytes((await ask(notary, asked.read_bytes())).content)
        untrusted = [] if certificates else ["-untrusted", notary.folder / "stamping.pem"]
        said = await openssl("ts", "-verify", "-queryfile", asked, "-in", reply, "-CAfile", notary.root, *untrusted)
        assert "Verification: OK" in said
        shown = await openssl("ts", "-reply", "-in", reply, "-text")
        assert "Status: Granted." in shown
        assert "Ordering: yes" in shown

    async def test_verifies_an_anchor_from_the_head_alone(self, notary: Notary, tmp_path: Path) -> None:
        """Whoever doubts our verifier needs none of our code."""
        token = await StampingAuthority(notary.url).stamp(imprint(7, bytes(32)))
        (tmp_path / "head").write_bytes(head_message(7, bytes(32)))
        (tmp_path / "token.der").write_bytes(token)
        words = ["-data", tmp_path / "head", "-token_in", "-in", tmp_path / "token.der", "-CAfile", notary.root]
        assert "Verification: OK" in await openssl("ts", "-verify", *words)

    async def test_stamps_for_our_client(self, tmp_path: Path) -> None:
        """An authority made of `openssl ts -reply`, with an RSA key, satisfies our client and our check."""
        root = await _make_openssl_authority(tmp_path)

        async def stamp(request: Request) -> Response:
            (tmp_path / "asked").write_bytes(await request.body())
            words = ["-config", tmp_path / "tsa.cnf", "-queryfile", tmp_path / "asked", "-out", tmp_path / "reply"]
            await openssl("ts", "-reply", *words)
            return Response((tmp_path / "reply").read_bytes(), media_type=REPLY)

        async with serving(Starlette(routes=[Route("/", stamp, methods=["POST"])])) as url:
            token = await StampingAuthority(url).stamp(imprint(7, bytes(32)))
        proven = await check(Anchor(7, bytes(32), token), read_roots(root), policy="1.2.3.4.1")
        assert proven.number == 7


async def _make_openssl_authority(folder: Path) -> Path:
    """Make an authority's files with openssl alone; return the root to trust."""
    (folder / "ext.cnf").write_text(
        "extendedKeyUsage = critical, timeStamping\nkeyUsage = critical, digitalSignature\n"
    )
    new = ["-newkey", "rsa:2048", "-nodes"]
    root, root_key = folder / "root.pem", folder / "root.key"
    await openssl("req", "-x509", *new, "-keyout", root_key, "-out", root, "-days", "30", "-subj", "/CN=Root")
    await openssl("req", *new, "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr", "-subj", "/CN=TSA")
    signing = ["-CA", root, "-CAkey", root_key, "-CAcreateserial", "-days", "30", "-extfile", folder / "ext.cnf"]
    await openssl("x509", "-req", "-in", folder / "tsa.csr", *signing, "-out", folder / "tsa.pem")
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        f"[tsa]\ndefault_tsa = one\n[one]\nserial = {folder}/serial\nsigner_cert = {folder}/tsa.pem\n"
        f"signer_key = {folder}/tsa.key\ncerts = {root}\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n"
        "digests = sha256\naccuracy = secs:1\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n"
    )
    return root


class TestPyhanko:
    async def test_trusts_the_token(self, notary: Notary) -> None:
        token = await StampingAuthority(notary.url).stamp(DIGEST)
        _, _, der = pem.unarmor(notary.root.read_bytes())
        status = await validate_tst_signed_data(
            cms.ContentInfo.load(token)["content"],
            ValidationContext(trust_roots=[x509.Certificate.load(der)], allow_fetching=False),
            lambda name: hashlib.new(name, DATA).digest(),
        )
        assert (status["intact"], status["valid"], bool(status["validation_path"])) == (True, True, True)


class TestReply:
    """What RFC 3161 demands of it."""

    async def test_holds_nonce_policy_serial_and_a_later_time(self, tmp_path: Path) -> None:
        """Serial numbers and moments grow, also across a restart."""
        seen: list[dict[str, Any]] = []
        for _ in range(2):
            async with notary_in(tmp_path / "authority") as notary:
                for nonce in (5, 2**63 - 1):
                    found = read(await ask(notary, query(DIGEST, nonce=nonce)))
                    seen.append(stamped_of(found["time_stamp_token"].dump()))
                    assert (seen[-1]["nonce"], seen[-1]["policy"]) == (nonce, POLICY)
        assert [one["serial_number"] for one in seen] == [1, 2, 3, 4]
        moments: list[datetime] = [one["gen_time"] for one in seen]
        assert moments == sorted(set(moments))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"version": "v2"}, "bad_request"),
            ({"message_imprint": {"hash_algorithm": {"algorithm": "md5"}, "hashed_message": bytes(16)}}, "bad_alg"),
            (
                {"message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(16)}},
                "bad_data_format",
            ),
            ({"req_policy": "1.2.3"}, "unaccepted_policy"),
            ({"extensions": [{"extn_id": "1.2.3", "extn_value": b"\x05\x00"}]}, "unaccepted_extensions"),
        ],
    )
    async def test_refuses_with_the_reason(self, notary: Notary, change: dict[str, Any], reason: str) -> None:
        usual = {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                "hashed_message": DIGEST,
            },
        }
        status = read(await ask(notary, tsp.TimeStampReq(usual | change).dump()))["status"].native
        assert (status["status"], status["fail_info"]) == ("rejection", {reason})
        assert status["status_string"]

    @pytest.mark.parametrize("body", [b"", b"garbage", bytes(500)])
    async def test_refuses_what_is_no_request(self, notary: Notary, body: bytes) -> None:
        assert read(await ask(notary, body))["status"]["fail_info"].native == {"bad_data_format"}

    async def test_needs_the_right_kind_and_size_of_body(self, notary: Notary) -> None:
        assert (await ask(notary, query(DIGEST, nonce=1), "application/json")).status_code == 415
        assert (await ask(notary, bytes(20_000))).status_code == 413
