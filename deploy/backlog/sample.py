"""A made-up backlog: scans with an index, to try the import on, to train with, to measure with. About nobody real."""

import csv
import hashlib
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from deploy.backlog.columns import COLUMNS

FILES_A_FOLDER = 1000
KINDS = (
    ("KQ.G01.000012", "Giấy khai sinh", "GKS"),
    ("KQ.G13.000123", "Giấy phép xây dựng", "GPXD"),
    ("KQ.G10.000045", "Giấy chứng nhận đăng ký hộ kinh doanh", "HKD"),
    ("KQ.G14.000007", "Giấy chứng nhận quyền sử dụng đất", "GCN"),
)
FAMILY, GIVEN = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh"), ("An", "Bình", "Chi", "Dũng", "Hà", "Khánh", "Lan", "Minh")
FIRST_DAY, DAYS = date(1998, 1, 5), 9_000


def write_sample(folder: Path, *, rows: int, document_bytes: int = 20_000, agencies: int = 111, seed: int = 1) -> Path:
    """Write scans of about document_bytes each, and their index; return it. The same arguments give the same bytes."""
    chance = random.Random(seed)  # noqa: S311 - a sample
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.csv"
    with index.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(column.heading_vi for column in COLUMNS)
        for row in range(1, rows + 1):
            name = f"{row // FILES_A_FOLDER:04d}/{row:06d}.pdf"
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            document = scan(f"{seed}-{row}", document_bytes)
            path.write_bytes(document)
            cells = _cells(chance, row, agencies) | {"file": name}
            lines.writerow(cells.get(column.name, "") for column in COLUMNS)
    return index


def scan(text: str, size: int) -> bytes:
    """Return a PDF of one page, of about `size` bytes, with a picture of noise that only this text gives."""
    noise = b"".join(_noise(text, max(size - 700, 32)))
    content = b"q 595 0 0 842 0 0 cm /I Do Q"
    return _pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 4 0 R>>>>/Contents 5 0 R>>",
        b"<</Type/XObject/Subtype/Image/Width %d/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length %d>>\n"
        b"stream\n%b\nendstream" % (len(noise), len(noise), noise),
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(content), content),
    )


def _noise(text: str, size: int) -> Iterator[bytes]:
    block = hashlib.shake_128(text.encode()).digest(min(size, 4096))
    yield from (block for _ in range(size // len(block)))
    yield block[: size % len(block)]


def _pdf(*objects: bytes) -> bytes:
    """Return a file of these objects, the first of which is the catalogue (ISO 32000-2 §7.5)."""
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, size = len(body), len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    body += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(body)


def _cells(chance: random.Random, row: int, agencies: int) -> dict[str, str]:
    code, name, mark = KINDS[row % len(KINDS)]
    issued = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
    born, agency = chance.randrange(40, 99), row % agencies + 1
    return {
        "number": f"{row}/{mark}-UBND",
        "kind_code": code,
        "kind_name": name,
        "agency_code": f"H32.{agency:02d}",
        "owner_name": f"{chance.choice(FAMILY)} Thử {chance.choice(GIVEN)}",
        "identity_kind": "CCCD",
        "identity_number": f"0560{born}{row % 1_000_000:06d}",
        "issued_on": f"{issued:%d/%m/%Y}",
        "issued_by": "Trần Thị Ký",
    }
