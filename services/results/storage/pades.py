"""The check of a PDF's signatures (PAdES, ETSI EN 319 142-1) with pyHanko; runs in a process of its own.

A PDF passes when every signature in it is sound, leads to a trust list and was made by a certificate that was valid
and not known to be revoked, and when the newest signature or time-stamp covers the whole file, so that not one byte
was changed or added since.
"""

import asyncio
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    PdfSignatureStatus,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko_certvalidator import ValidationContext

from services.results.storage import revocation
from services.results.storage.trust import TrustLists

UNREADABLE, CHANGED, BROKEN, NOT_COVERED, UNTRUSTED, EXPIRED, REVOKED, TIMESTAMP = (
    "unreadable",
    "changed",
    "broken",
    "not_covered",
    "untrusted",
    "expired",
    "revoked",
    "timestamp",
)
_SHORT, _LONG_TAG, _CONSTRUCTED, _BIT_STRING = 0x7F, 0x1F, 0x20, 0x03
_HEX = re.compile(rb"[0-9a-f]*|[0-9A-F]*")
_EXPIRED = {AdESIndeterminate.OUT_OF_BOUNDS_NO_POE, AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED}
_REVOKED = {AdESIndeterminate.REVOKED_NO_POE, AdESIndeterminate.REVOKED_CA_NO_POE}


class Refused(Exception):
    """The PDF does not pass: `code` is one of this module's, `detail` says where."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as it is kept with the result."""

    signer: str
    organisation: str | None
    issuer: str
    serial_number: str
    certificate_sha256: str
    signed_at: str | None
    time_source: str
    """timestamp (a trusted authority's) or claimed (the signer's own clock)."""
    trust_list: str
    revocation: str
    """good (a list of its issuer names it not), or unknown (no list here is its issuer's)."""
    algorithm: str
    reason: str | None


def check(document: bytes, trust: TrustLists, moment: datetime) -> list[dict[str, Any]]:
    """Return the signatures of a PDF, oldest first; none for an unsigned one. Raises Refused."""
    try:
        reader = PdfFileReader(io.BytesIO(document))
        encrypted = reader.encrypted
        signatures = list(reader.embedded_regular_signatures)
        stamps = list(reader.embedded_timestamp_signatures)
        pages = int(reader.root["/Pages"]["/Count"])
    except Exception as problem:
        # A hostile file makes a parser fail in any way: whatever it is, the file cannot be read.
        raise Refused(UNREADABLE, f"not a readable PDF ({type(problem).__name__})") from problem
    if encrypted or pages < 1:
        raise Refused(UNREADABLE, "it is encrypted, or has no page")
    if max(document.count(b"/ByteRange"), document.count(b"/SubFilter")) > len(signatures) + len(stamps):
        raise Refused(BROKEN, "it holds something like a signature that is none")
    if not signatures:
        return []
    try:
        return asyncio.run(_check_all(reader, document, signatures, stamps, trust, moment))
    except Refused:
        raise
    except Exception as problem:
        raise Refused(BROKEN, f"a signature cannot be read ({type(problem).__name__})") from problem


async def _check_all(
    reader: PdfFileReader,
    document: bytes,
    signatures: Sequence[EmbeddedPdfSignature],
    stamps: Sequence[EmbeddedPdfSignature],
    trust: TrustLists,
    moment: datetime,
) -> list[dict[str, Any]]:
    context = _contexts(reader, trust)
    newest = max([*signatures, *stamps], key=lambda one: one.signed_revision)
    if newest.evaluate_signature_coverage() is not SignatureCoverageLevel.ENTIRE_FILE:
        raise Refused(NOT_COVERED, "something was added after the last signature, or stands outside it")
    for stamp in stamps:
        _check_container(document, stamp, trust)
        found = await async_validate_pdf_timestamp(stamp, context(moment))
        if not (found.intact and found.valid and found.trusted):
            raise Refused(TIMESTAMP, "a time-stamp of the document is not valid or not trusted")
    checked = []
    for one in signatures:
        _check_container(document, one, trust)
        checked.append(asdict(await _check_one(one, context, trust, moment)))
    return checked


async def _check_one(
    one: EmbeddedPdfSignature, context: Callable[[datetime], ValidationContext], trust: TrustLists, moment: datetime
) -> Signature:
    status = await async_validate_pdf_signature(one, context(moment), context(moment))
    stamp = status.timestamp_validity
    if stamp is not None and not (stamp.intact and stamp.valid and stamp.trusted):
        raise Refused(TIMESTAMP, f"the time-stamp of {one.field_name} is not valid or not trusted")
    if stamp is not None and not status.trusted:
        # A trusted time-stamp proves that it was signed while the certificate was good, though it has expired since.
        status = await async_validate_pdf_signature(one, context(stamp.timestamp), context(moment))
    _refuse_bad(one, status)
    certificate, path = status.signing_cert, status.validation_path
    anchor = path.first if path is not None else None
    subject = certificate.subject.native
    claimed = status.signer_reported_dt
    signed_at = stamp.timestamp if stamp is not None else claimed
    chain = [*(path or ()), certificate]
    proven_at = stamp.timestamp if stamp is not None else moment
    standing = revocation.judge(
        [crl.dump() for crl in context(moment).crls], [held.dump() for held in chain], proven_at
    )
    if standing == revocation.REVOKED:
        raise Refused(REVOKED, f"a certificate of {one.field_name} was revoked")
    return Signature(
        signer=str(subject.get("common_name", certificate.subject.human_friendly)),
        organisation=_text(subject.get("organization_name")),
        issuer=str(certificate.issuer.native.get("common_name", certificate.issuer.human_friendly)),
        serial_number=f"{certificate.serial_number:x}",
        certificate_sha256=certificate.sha256.hex(),
        signed_at=signed_at.isoformat() if signed_at else None,
        time_source="timestamp" if stamp is not None else "claimed",
        trust_list=trust.list_of.get(anchor.sha256, "") if anchor is not None else "",
        revocation=standing,
        algorithm=status.pkcs7_signature_mechanism,
        reason=_text(one.sig_object.get("/Reason")),
    )


def _refuse_bad(one: EmbeddedPdfSignature, status: PdfSignatureStatus) -> None:
    name = one.field_name
    if not status.intact:
        raise Refused(CHANGED, f"what {name} signed was changed")
    if not status.valid:
        raise Refused(BROKEN, f"the signature {name} does not fit its certificate")
    if not status.trusted:
        because = status.trust_problem_indic
        code = REVOKED if because in _REVOKED else EXPIRED if because in _EXPIRED else UNTRUSTED
        raise Refused(code, f"the certificate of {name} ({status.signing_cert.subject.human_friendly}) is {code}")
    if not status.bottom_line:
        raise Refused(CHANGED, f"the document was changed after {name} signed it")


def _check_container(document: bytes, one: EmbeddedPdfSignature, trust: TrustLists) -> None:
    """Refuse what no signature covers unless it could not be otherwise: so every changed byte is noticed.

    In the place of the signature may stand one CMS object in its only encoding (DER) and zeros after it, with no
    more in it than was signed, or signed by its maker.
    """
    spans: Any = one.byte_range
    start, first, second, _ = (int(number) for number in spans)
    held = document[start + first : second]
    digits = held[1:-1]
    if held[:1] != b"<" or held[-1:] != b">" or not _HEX.fullmatch(digits) or len(digits) % 2:
        raise Refused(BROKEN, f"the place of {one.field_name} holds more than a signature")
    raw = bytes.fromhex(digits.decode())
    end = der_end(raw, 0)
    if any(raw[end:]):
        raise Refused(BROKEN, f"the place of {one.field_name} holds more than a signature")
    signed = cms.ContentInfo.load(raw[:end], strict=True)["content"]
    (signer,) = signed["signer_infos"]
    plain = signed["encap_content_info"]["content_type"].native == "data"
    expected = ("v1" if plain else "v3", "v1" if signer["sid"].name == "issuer_and_serial_number" else "v3")
    digests = [algorithm.dump() for algorithm in signed["digest_algorithms"]]
    extra = {attribute["type"].native for attribute in signer["unsigned_attrs"] or ()} - {"signature_time_stamp_token"}
    embedded: list[Certificate] = [held.chosen for held in signed["certificates"] or ()]
    if (
        (signed["version"].native, signer["version"].native) != expected
        or digests != [signer["digest_algorithm"].dump()]
        or extra
        or not any(_names(signer["sid"], held) for held in embedded)
    ):
        raise Refused(BROKEN, f"{one.field_name} holds what was not signed")
    _check_certificates(one.field_name, embedded, trust)


def der_end(raw: bytes, start: int) -> int:
    """Return where an element in DER ends, with every length in its only encoding. Raises ValueError, IndexError."""
    head, length, place = raw[start], raw[start + 1], start + 2
    if length > _SHORT:
        count = length & _SHORT
        length, place = int.from_bytes(raw[place : place + count], "big"), place + count
        if not count or length <= _SHORT or length >> 8 * (count - 1) == 0:
            raise ValueError("a length is not in its only encoding")
    end = place + length
    if end > len(raw) or head & _LONG_TAG == _LONG_TAG:
        raise ValueError("an element is longer than what holds it")
    if head == _BIT_STRING and raw[place]:
        raise ValueError("keys and signatures are whole bytes")
    while head & _CONSTRUCTED and place < end:
        place = der_end(raw[:end], place)
    return end


def _names(sid: cms.SignerIdentifier, certificate: Certificate) -> bool:
    """Tell whether a signature names this certificate, to the letter: names that only read alike are not signed."""
    if sid.name != "issuer_and_serial_number":
        return sid.native == certificate.key_identifier
    named = sid.chosen
    same_issuer = named["issuer"].dump() == certificate.issuer.dump()
    return same_issuer and named["serial_number"].native == certificate.serial_number


def _check_certificates(name: str, embedded: Sequence[Certificate], trust: TrustLists) -> None:
    """Refuse a certificate beside the signature that is not whole: its issuer must be at hand, and have signed it."""
    known = {one.sha256 for one in (*trust.anchors, *trust.intermediates)}
    issuers = [*embedded, *trust.anchors, *trust.intermediates]
    for one in embedded:
        if one.sha256 in known:
            continue
        loaded = x509.load_der_x509_certificate(one.dump())
        if not any(_issued(loaded, issuer) for issuer in issuers if issuer.subject == one.issuer):
            raise Refused(UNTRUSTED, f"a certificate along with {name} was issued by nobody known")


def _issued(certificate: x509.Certificate, issuer: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.dump()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _contexts(reader: PdfFileReader, trust: TrustLists) -> Callable[[datetime], ValidationContext]:
    """Return what makes a context for a moment: anchors, and what the trust folder and the PDF tell of revocations."""

    def context(moment: datetime) -> ValidationContext:
        options: dict[str, Any] = {
            "trust_roots": list(trust.anchors),
            "other_certs": list(trust.intermediates),
            "crls": list(trust.crls),
            "allow_fetching": False,
            "revocation_mode": "soft-fail",
            "moment": moment,
        }
        try:
            return DocumentSecurityStore.read_dss(reader).as_validation_context(options)
        except NoDSSFoundError:
            return ValidationContext(**options)

    return context


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value) if value else None
