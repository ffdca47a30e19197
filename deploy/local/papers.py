"""Results for trying things out: small PDFs of one page, signed (PAdES B-B) with the seal of a stack of one's own.

The PDF is written at once with a place for the signature, so that signing it costs one signature and no PDF library:
a demo and a benchmark sign thousands.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.sign import SimpleSigner

from deploy.local.folder import read_json, run_folder
from shared import clock
from shared.clock import VN

PLACE_BYTES = 2560
"""Room for the signature."""
_RANGE = b"[0 %010d %010d %010d]"


class Seal:
    """Signs papers."""

    def __init__(self, signer: SimpleSigner, name: str) -> None:
        self._signer, self._name = signer, name

    @classmethod
    def from_file(cls, file: Path, password: str) -> "Seal":
        """Read a PKCS#12 file. Raises ValueError when it holds no key, or the password is another."""
        content, secret = file.read_bytes(), password.encode() or None
        name = pkcs12.load_pkcs12(content, secret).cert
        signer = SimpleSigner.load_pkcs12_data(content, other_certs=[], passphrase=secret)
        if signer is None or name is None:
            raise ValueError(f"{file.name} holds no key, or its password is another.")
        return cls(signer, name.certificate.subject.rfc4514_string())

    def paper(self, lines: Sequence[str]) -> bytes:
        """Return a signed PDF of a page with some lines (Latin letters without marks)."""
        document = bytearray(pdf(lines, signed_by=self._name))
        start = document.index(b"/Contents <") + len(b"/Contents ")
        end = start + 2 * PLACE_BYTES + 2
        place = document.index(_RANGE % (0, 0, 0))
        span = _RANGE % (start, end, len(document) - end)
        document[place : place + len(span)] = span
        digest = hashlib.sha256(document[:start] + document[end:]).digest()
        signature = asyncio.run(self._signer.async_sign(digest, "sha256", use_pades=True)).dump().hex().encode()
        document[start + 1 : start + 1 + len(signature)] = signature
        return bytes(document)


def pdf(lines: Sequence[str], *, signed_by: str | None = None) -> bytes:
    """Return a PDF of one page with some lines; signed_by: with an empty place for a signature."""
    text = b"BT /F1 12 Tf 56 780 Td 16 TL %b ET" % b" ".join(b"(%b) Tj T*" % _escaped(line) for line in lines)
    fields = b"/AcroForm << /Fields [6 0 R] /SigFlags 3 >>" if signed_by is not None else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %b >>" % fields,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> %b >>" % (b"/Annots [6 0 R]" if fields else b""),
        b"<< /Length %d >> stream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    if signed_by is not None:
        objects += [
            b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal) /V 7 0 R /F 132 /Rect [0 0 0 0] /P 3 0 R >>",
            _signature(signed_by),
        ]
    return _file(objects)


def _signature(name: str) -> bytes:
    at = clock.now().astimezone(VN).strftime("D:%Y%m%d%H%M%S+07'00'").encode()
    place = b"0" * (2 * PLACE_BYTES)
    return (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (%b) /Name (%b) /ByteRange %b "
        b"/Contents <%b> >>" % (at, _escaped(name), _RANGE % (0, 0, 0), place)
    )


def _file(objects: Sequence[bytes]) -> bytes:
    written, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(written)
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    written += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, entries)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, table)
    return bytes(written)


def _escaped(line: str) -> bytes:
    plain = line.encode("ascii", "replace")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def paper(
    file: Annotated[Path, typer.Argument(help="Where to write the PDF.", dir_okay=False)],
    line: Annotated[list[str] | None, typer.Option(help="A line on its page; repeat it.")] = None,
) -> None:
    """Write a small PDF, signed with the local stack's seal: a result to try the archive with."""
    seal = (read_json(run_folder().stack) or {}).get("seal")
    if seal is None:
        typer.echo("Nothing has run here. Start the stack first: make up", err=True)
        raise typer.Exit(1)
    file.write_bytes(Seal.from_file(Path(seal["file"]), seal["password"]).paper(line or ["Result", file.stem]))
    typer.echo(f"{file}: {file.stat().st_size} bytes, signed.")
