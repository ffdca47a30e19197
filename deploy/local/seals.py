"""The seals of a stack that is no deployment: a certificate authority of its own, and one seal for the province.

Whoever deploys puts the agencies' real PKCS#12 files into the folder instead; nothing is made where one is there.
"""

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from shared import clock

LIFE = timedelta(days=3650)
CA_FILE = "ca.pem"
SEAL_NAME = "UBND tỉnh (con dấu thử nghiệm)"


def ensure_seals(folder: Path, *, agency: str, name: str, password: str) -> None:
    """Make `ca.pem` and the agency's `CODE.p12` in a folder that has no seal yet; both stay for later starts."""
    if any(folder.glob("*.p12")):
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate(_named("CA thử nghiệm của ngăn xếp cục bộ"), ca_key, issuer=None, ca_key=ca_key)
    seal = _certificate(_named(name), key, issuer=ca, ca_key=ca_key)
    (folder / CA_FILE).write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    file = folder / f"{agency}.p12"
    file.touch(mode=0o600)
    protection = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    file.write_bytes(pkcs12.serialize_key_and_certificates(name.encode(), key, seal, [ca], protection))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Certificate | None,
    ca_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Return a certificate; without an issuer it is an authority's own."""
    is_ca = issuer is None
    usage = dict.fromkeys(
        (
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    usage |= {
        "digital_signature": not is_ca,
        "content_commitment": not is_ca,
        "key_cert_sign": is_ca,
        "crl_sign": is_ca,
    }
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
