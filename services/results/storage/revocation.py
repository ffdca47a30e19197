"""Whether certificates were revoked, by the lists at hand: nobody is asked over a network.

A certificate need not say where its list is found: a list that its issuer signed counts wherever it came from, and one
that has run out still revokes what it names.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature

GOOD, UNKNOWN, REVOKED = "good", "unknown", "revoked"


def judge(lists: Sequence[bytes], chain: Sequence[bytes], at: datetime) -> str:
    """Return what is known of a chain of certificates, the anchor first, at a moment: the worst of its links.

    lists and chain are DER. good: every list that is needed is at hand, in its time, and names none of them.
    """
    loaded = [x509.load_der_x509_certificate(one) for one in chain]
    known = [x509.load_der_x509_crl(one) for one in lists]
    found = [_of(one, issuer, known, at) for issuer, one in pairwise(loaded) if one != issuer]
    return REVOKED if REVOKED in found else UNKNOWN if UNKNOWN in found or not found else GOOD


def _of(
    one: x509.Certificate, issuer: x509.Certificate, lists: Sequence[x509.CertificateRevocationList], at: datetime
) -> str:
    own = [crl for crl in lists if crl.issuer == issuer.subject and _signed(crl, issuer)]
    for crl in own:
        entry = crl.get_revoked_certificate_by_serial_number(one.serial_number)
        if entry is not None and entry.revocation_date_utc <= at:
            return REVOKED
    timely = any(crl.next_update_utc is None or at <= crl.next_update_utc for crl in own)
    return GOOD if timely else UNKNOWN


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, InvalidSignature):
        return False
