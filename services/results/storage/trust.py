"""Trust lists: folders of certificates that signatures must lead to, read again when a file in them changes.

Each folder below the trust folder is one list, named as the folder (certificates right in the trust folder are the
list `default`). A self-signed certificate is an anchor, any other helps to build the way to one; *.crl are lists of
revoked certificates, since checking is done offline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asn1crypto import crl, pem, x509

DEFAULT_LIST = "default"


@dataclass(frozen=True, slots=True)
class TrustLists:
    """What the trust folder holds at a moment."""

    anchors: Sequence[x509.Certificate] = ()
    intermediates: Sequence[x509.Certificate] = ()
    crls: Sequence[crl.CertificateList] = ()
    list_of: dict[bytes, str] = field(default_factory=dict)
    """An anchor's SHA-256 → the list it stands in."""
    mark: tuple[tuple[str, int, int], ...] = ()
    """Name, time and size of each file, by which a change is seen."""


def read(folder: Path | None, known: TrustLists) -> TrustLists:
    """Return the trust lists of a folder; `known` itself while no file in it changed. Raises ValueError, OSError."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    mark = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    if mark == known.mark:
        return known
    anchors, intermediates, crls = [], [], []
    list_of: dict[bytes, str] = {}
    for path in paths:
        blocks = _blocks(path.read_bytes())
        if path.suffix == ".crl":
            crls += [crl.CertificateList.load(block, strict=True) for block in blocks]
        elif path.suffix in {".pem", ".crt", ".cer"}:
            for one in (x509.Certificate.load(block, strict=True) for block in blocks):
                if one.self_signed == "no":
                    intermediates.append(one)
                else:
                    anchors.append(one)
                    list_of[one.sha256] = DEFAULT_LIST if path.parent == folder else path.parent.name
    return TrustLists(anchors, intermediates, crls, list_of, mark)


def _blocks(content: bytes) -> list[bytes]:
    if pem.detect(content):
        found: Any = pem.unarmor(content, multiple=True)
        return [block for _, _, block in found]
    return [content]
