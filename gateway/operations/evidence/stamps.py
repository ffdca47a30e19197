"""Time stamps (RFC 3161) on heads of the log: checked offline, kept in a file beside the witness's.

Whoever holds database and evidence key can write another log; that an authority stamped an earlier one he cannot undo.
"""

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
from asn1crypto import cms, pem, tsp, x509

from gateway.operations.evidence.chain import head_message
from gateway.operations.evidence.verifying import Anchored, Finding
from shared import log

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
"""id-kp-timeStamping, RFC 3161 §2.3."""

_log = log.get(__name__)


class Unproven(Exception):
    """A time stamp does not hold; the message says why."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head of the log with the token that an authority gave for it (TimeStampToken, DER)."""

    number: int
    hash: bytes
    token: bytes


def imprint(number: int, digest: bytes) -> bytes:
    """Return what is stamped of a head: SHA-256 of the very message that the evidence key signs."""
    return hashlib.sha256(head_message(number, digest)).digest()


def read_roots(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a PEM file; raises OSError, ValueError."""
    content = path.read_bytes()
    if not pem.detect(content):
        raise ValueError(f"{path} holds no PEM certificate.")
    found: Any = pem.unarmor(content, multiple=True)
    return [x509.Certificate.load(der) for kind, _, der in found if kind == "CERTIFICATE"]


async def check(anchor: Anchor, roots: Sequence[x509.Certificate], *, policy: str = "") -> Anchored:
    """Return what a token proves; raises Unproven.

    The signature must hold, its certificate lead to one of the roots and be for time stamping alone (critical), all at
    the token's own time; the imprint must be that of the head. No network is used, so no revocation is asked for.
    """
    try:
        signed = _signed_data(anchor.token)
        stamped = signed["encap_content_info"]["content"].parsed
        return await _checked(anchor, signed, stamped, roots, policy)
    except Unproven:
        raise
    except Exception as problem:
        raise Unproven(f"the token cannot be read: {type(problem).__name__}: {problem}") from problem


def _signed_data(token: bytes) -> cms.SignedData:
    content = cms.ContentInfo.load(token, strict=True)
    if content["content_type"].native != "signed_data":
        raise Unproven("the token holds no signed data")
    signed = content["content"]
    if not isinstance(signed["encap_content_info"]["content"].parsed, tsp.TSTInfo):
        raise Unproven("the token holds no time stamp")
    return signed


async def _checked(
    anchor: Anchor, signed: cms.SignedData, stamped: tsp.TSTInfo, roots: Sequence[x509.Certificate], policy: str
) -> Anchored:
    moment: datetime = stamped["gen_time"].native
    found = stamped["message_imprint"]
    if found["hash_algorithm"]["algorithm"].native != "sha256" or found["hashed_message"].native != imprint(
        anchor.number, anchor.hash
    ):
        raise Unproven("it stamps something else than this head")
    if policy and stamped["policy"].dotted != policy:
        raise Unproven(f"its policy is {stamped['policy'].dotted}")
    validation, context = _pyhanko()
    known = [choice.chosen for choice in signed["certificates"] if choice.name == "certificate"]
    status = await validation.validate_tst_signed_data(
        signed,
        context.ValidationContext(
            trust_roots=list(roots), other_certs=known, moment=moment, best_signature_time=moment, allow_fetching=False
        ),
        lambda _: imprint(anchor.number, anchor.hash),
    )
    if not (status["intact"] and status["valid"]):
        raise Unproven("its signature does not hold")
    if not status.get("validation_path"):
        raise Unproven("its certificate does not lead to a trusted authority")
    _check_purpose(status["signing_cert"])
    return Anchored(anchor.number, anchor.hash, moment)


def _check_purpose(certificate: x509.Certificate) -> None:
    for extension in certificate["tbs_certificate"]["extensions"]:
        if extension["extn_id"].native == "extended_key_usage":
            purposes = [purpose.dotted for purpose in extension["extn_value"].parsed]
            if extension["critical"].native and purposes == [TIME_STAMPING]:
                return
    raise Unproven("its certificate is not for time stamping alone")


def _pyhanko() -> tuple[ModuleType, ModuleType]:
    # It costs a second and 30 MB, and most processes never check a token.
    import pyhanko.sign.validation.generic_cms as validation  # noqa: PLC0415
    from pyhanko_certvalidator import context  # noqa: PLC0415

    return validation, context


async def check_all(
    anchors: Iterable[Anchor], roots: Sequence[x509.Certificate]
) -> tuple[list[Anchored], list[Finding]]:
    """Return what tokens prove, and those that prove nothing; the same token in two places counts once."""
    proven: list[Anchored] = []
    unproven: list[Finding] = []
    for anchor in sorted(set(anchors), key=lambda one: one.number):
        try:
            proven.append(await check(anchor, roots))
        except Unproven as problem:
            unproven.append(Finding(anchor.number, "unproven", f"the time stamp on record {anchor.number}: {problem}"))
    return proven, unproven


def append_anchor(folder: str, anchor: Anchor, stamped_at: datetime) -> None:
    """Keep a token outside the database too; a failure is logged."""
    if not folder:
        return
    path = Path(folder) / f"anchors-{os.getpid()}.jsonl"
    line = {
        "number": anchor.number,
        "hash": anchor.hash.hex(),
        "at": stamped_at.isoformat(),
        "token": base64.b64encode(anchor.token).decode(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")
    except OSError as problem:
        _log.error("evidence.anchor_not_kept", reason=str(problem))


def read_anchor_files(folder: Path) -> Iterator[Anchor]:
    """Return every token in a folder; a line that is not whole (a crash) is passed over."""
    for path in sorted(folder.glob("anchors-*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                said = orjson.loads(line)
                yield Anchor(said["number"], bytes.fromhex(said["hash"]), base64.b64decode(said["token"]))
            except (ValueError, KeyError, TypeError):
                continue
