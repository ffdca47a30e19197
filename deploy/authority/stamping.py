"""RFC 3161: a TimeStampReq comes in, a TimeStampResp goes out."""

from datetime import datetime
from pathlib import Path

from asn1crypto import algos, cms, core, pem, tsp, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.authority.certificates import CA_FILE, CERTIFICATE_FILE, KEY_FILE
from deploy.authority.register import Register

POLICY = "1.3.6.1.4.1.99999.1.1"
"""Of a test authority: below an enterprise number that nobody has."""
DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}
ACCURACY_S = 1


class _Refusal(Exception):
    """A request that is not stamped: PKIFailureInfo and words."""

    def __init__(self, fail_info: str, words: str) -> None:
        super().__init__(words)
        self.fail_info = fail_info


class Reply(core.Sequence):
    """TimeStampResp (RFC 3161 §2.4.2): a rejection has no token, which asn1crypto's own class cannot say."""

    _fields = [  # noqa: RUF012 - as asn1crypto has it
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


class TimeStamping:
    """Stamps with the key in a folder; what it gave is written down in a register."""

    def __init__(self, folder: Path, register: Register) -> None:
        key = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("The stamping key is no elliptic-curve key.")
        self._key = key
        self._certificate = _certificate(folder / CERTIFICATE_FILE)
        self._root = _certificate(folder / CA_FILE)
        self._register = register

    def answer(self, request: bytes) -> bytes:
        """Return a TimeStampResp (DER): a token, or a rejection that says why."""
        try:
            asked = _read(request)
            stamped = self._stamped(asked)
        except _Refusal as refusal:
            return Reply(
                {
                    "status": {
                        "status": "rejection",
                        "status_string": [str(refusal)],
                        "fail_info": {refusal.fail_info},
                    }
                }
            ).dump()
        token = self._token(stamped, certificates=bool(asked["cert_req"].native))
        return Reply({"status": {"status": "granted"}, "time_stamp_token": token}).dump()

    def _stamped(self, asked: tsp.TimeStampReq) -> tsp.TSTInfo:
        serial, moment = self._register.next()
        facts = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": serial,
            "gen_time": moment,
            "accuracy": {"seconds": ACCURACY_S},
            # No two tokens have the same moment, so it tells their order whatever the accuracy.
            "ordering": True,
            "tsa": x509.GeneralName(name="directory_name", value=self._certificate.subject),
        }
        if asked["nonce"].native is not None:
            facts["nonce"] = asked["nonce"]
        return tsp.TSTInfo(facts)

    def _token(self, stamped: tsp.TSTInfo, *, certificates: bool) -> cms.ContentInfo:
        content = stamped.dump()
        moment: datetime = stamped["gen_time"].native
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("signing_time", cms.Time({"utc_time": core.UTCTime(moment.replace(microsecond=0))})),
                _attribute("message_digest", _sha256(content)),
                _attribute("signing_certificate_v2", self._own()),
            ]
        )
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": {
                        "issuer": self._certificate.issuer,
                        "serial_number": self._certificate.serial_number,
                    }
                }
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
        signed: dict[str, object] = {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(content)},
            "signer_infos": [signer],
        }
        if certificates:
            signed["certificates"] = [self._certificate, self._root]
        return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})

    def _own(self) -> tsp.SigningCertificateV2:
        """Name the signing certificate (RFC 5816); SHA-256 is the default algorithm and so left out."""
        issuer = x509.GeneralName(name="directory_name", value=self._certificate.issuer)
        named = {
            "cert_hash": _sha256(self._certificate.dump()),
            "issuer_serial": {"issuer": [issuer], "serial_number": self._certificate.serial_number},
        }
        return tsp.SigningCertificateV2({"certs": [tsp.ESSCertIDv2(named)]})


def _read(request: bytes) -> tsp.TimeStampReq:
    """Return a request that can be stamped; raises _Refusal."""
    try:
        asked = tsp.TimeStampReq.load(request, strict=True)
        facts = asked.native
    except (ValueError, TypeError) as problem:
        raise _Refusal("bad_data_format", f"This is no TimeStampReq: {problem}") from None
    if facts["version"] != "v1":
        raise _Refusal("bad_request", "Only version 1 is known.")
    digest = DIGESTS.get(facts["message_imprint"]["hash_algorithm"]["algorithm"])
    if digest is None:
        raise _Refusal("bad_alg", f"Digests that are stamped: {', '.join(DIGESTS)}.")
    if len(facts["message_imprint"]["hashed_message"]) != digest:
        raise _Refusal("bad_data_format", "The digest has another length than its algorithm gives.")
    if facts["req_policy"] not in (None, POLICY):
        raise _Refusal("unaccepted_policy", f"The policy here is {POLICY}.")
    if facts["extensions"]:
        raise _Refusal("unaccepted_extensions", "No extension is known here.")
    return asked


def _attribute(kind: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": (value,)})


def _certificate(path: Path) -> x509.Certificate:
    _, _, der = pem.unarmor(path.read_bytes())
    return x509.Certificate.load(der)


def _sha256(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()
