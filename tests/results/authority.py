"""An authority of a test's own: it certifies signers and a time-stamp service, and revokes."""

import io
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from deploy.local.papers import pdf

PEM = serialization.Encoding.PEM
_USAGES = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")


class Authority:
    """Certifies from a moment on, for a hundred days unless told otherwise."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certify("CA thử", self.key, now + timedelta(days=3650), is_ca=True)

    def _certify(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        until: datetime,
        *,
        is_ca: bool = False,
        stamps: bool = False,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = dict.fromkeys(_USAGES, False)
        usage |= {"digital_signature": not is_ca, "content_commitment": not is_ca}
        usage |= {"key_cert_sign": is_ca, "crl_sign": is_ca}
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if is_ca else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=1))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if stamps:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def signer(self, *, days: int = 100) -> tuple[SimpleSigner, x509.Certificate]:
        """Return who signs for so many days, and their certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certify("Trần Thị Ký", key, self.now + timedelta(days=days))
        return SimpleSigner(_asn1(certificate), _key(key), SimpleCertificateStore()), certificate

    def stamps(self) -> DummyTimeStamper:
        """Return a time-stamp service that is always at the authority's moment."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = self._certify("TSA thử", key, self.now + timedelta(days=3650), stamps=True)
        return DummyTimeStamper(_asn1(certificate), _key(key), SimpleCertificateStore(), fixed_dt=self.now)

    def trusted_in(self, folder: Path) -> None:
        """Put the authority into a trust folder."""
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(PEM))

    def publish_revoked(self, folder: Path, *revoked: x509.Certificate) -> None:
        """Put a list of revoked certificates beside it."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(self.now).next_update(self.now + timedelta(days=3650))
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(self.now).build()
            builder = builder.add_revoked_certificate(entry)
        found = builder.sign(self.key, hashes.SHA256())
        (folder / "revoked.crl").write_bytes(found.public_bytes(serialization.Encoding.DER))


def signed(signer: SimpleSigner, stamps: DummyTimeStamper | None = None, document: bytes | None = None) -> bytes:
    """Return a PDF signed by a full library, PAdES B-B, or B-T with a time-stamp; call it in a thread."""
    document = document or pdf(["KET QUA"])
    writer = IncrementalPdfFileWriter(io.BytesIO(document))
    field = f"Sig{document.count(b'/ByteRange') + 1}"
    meta = PdfSignatureMetadata(field_name=field, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    return sign_pdf(writer, meta, signer=signer, timestamper=stamps).getvalue()


def _asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> keys.PrivateKeyInfo:
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    return keys.PrivateKeyInfo.load(key.private_bytes(serialization.Encoding.DER, pkcs8, plain))
