"""GET_BILL: the receipt of a payment as a small PDF."""

import unicodedata

from deploy.portal.payment.records import Payment, Transaction, compact

PAGE = "595 842"
"""A4 in points."""
FONTS = "<< /Font << /F1 5 0 R >> >>"


def bill(payment: Payment, transaction: Transaction) -> bytes:
    """Return the receipt of a successful transaction. Its font has no Vietnamese marks, so the text has none."""
    lines = [
        "BIEN LAI THANH TOAN TRUC TUYEN",
        "Nen tang thanh toan truc tuyen - Cong Dich vu cong quoc gia",
        f"Ma ho so: {payment.dossier}",
        f"Ma tham chieu: {payment.reference}",
        f"Ma giao dich: {transaction.id}",
        f"Thoi gian: {compact(transaction.made_at)}",
        f"So tien: {transaction.amount_vnd:,} VND".replace(",", "."),
        f"Noi dung: {payment.init['ThongTinGiaoDich']}",
    ]
    return _pdf([_unmarked(line) for line in lines])


def _unmarked(line: str) -> str:
    plain = unicodedata.normalize("NFD", line.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    return plain.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _pdf(lines: list[str]) -> bytes:
    shown = "\n".join(f"({line}) Tj T*" for line in lines)
    content = f"BT /F1 12 Tf 18 TL 60 770 Td\n{shown}\nET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE}] /Contents 4 0 R /Resources {FONTS} >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    file = bytearray(b"%PDF-1.4\n")
    offsets: list[int] = []
    for number, one in enumerate(objects, start=1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{one}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    file += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n".encode() + (
        f"startxref\n{len(file)}\n%%EOF\n".encode()
    )
    return bytes(file)
