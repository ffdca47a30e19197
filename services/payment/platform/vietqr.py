"""The QR code of a transfer: EMVCo's merchant-presented payload in the words of NAPAS (VietQR).

An object is its two digits, the two digits of its length, its value; the last one is CRC-16/CCITT-FALSE over everything
before, its own `6304` included, in four upper-case hexadecimal digits.
"""

import binascii
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import segno

from services.payment.operations.routing import Account

NAPAS, BY_ACCOUNT = "A000000727", "QRIBFTTA"
ONCE = "12"
"""Point of initiation: this code is for one payment."""
CURRENCY, COUNTRY = "704", "VN"
PURPOSE_MAX = 25
Picture = Literal["svg", "png"]
MEDIA: dict[Picture, str] = {"svg": "image/svg+xml", "png": "image/png"}


class NoPayload(Exception):
    """The text is no payload of a QR code: cut short, or changed on its way."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a payload asks for; `amount_vnd` None leaves it to the payer."""

    bank_bin: str
    account_number: str
    amount_vnd: int | None
    purpose: str


def payload(account: Account, amount_vnd: int, purpose: str) -> str:
    """Return what a banking app reads: to which account, how many whole đồng, with which words.

    Raises ValueError when the words are longer than PURPOSE_MAX or not ASCII.
    """
    if len(purpose) > PURPOSE_MAX or not purpose.isascii():
        raise ValueError(f"The words of a transfer are at most {PURPOSE_MAX} ASCII characters.")
    beneficiary = _object("00", account.bank_bin) + _object("01", account.number)
    parts = [
        _object("00", "01"),
        _object("01", ONCE),
        _object("38", _object("00", NAPAS) + _object("01", beneficiary) + _object("02", BY_ACCOUNT)),
        _object("53", CURRENCY),
        _object("54", str(amount_vnd)),
        _object("58", COUNTRY),
        _object("62", _object("08", purpose)),
    ]
    unchecked = "".join(parts) + "6304"
    return unchecked + checksum(unchecked)


def checksum(text: str) -> str:
    """Return CRC-16/CCITT-FALSE (polynomial 1021, start FFFF) of a text in four upper-case hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def read(text: str) -> Transfer:
    """Return what a payload asks for. Raises NoPayload."""
    if not text.isascii() or checksum(text[:-4]) != text[-4:].upper():
        raise NoPayload("its checksum is wrong")
    found = dict(_objects(text))
    network = dict(_objects(found.get("38", "")))
    beneficiary = dict(_objects(network.get("01", "")))
    amount = found.get("54")
    return Transfer(
        bank_bin=beneficiary.get("00", ""),
        account_number=beneficiary.get("01", ""),
        amount_vnd=int(amount) if amount and amount.isdecimal() else None,
        purpose=dict(_objects(found.get("62", ""))).get("08", ""),
    )


def picture(text: str, kind: Picture) -> bytes:
    """Return a payload as a picture, error correction M, a border of four modules."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind=kind, scale=8, border=4)
    return drawn.getvalue()


def _object(name: str, value: str) -> str:
    return f"{name}{len(value):02}{value}"


def _objects(text: str) -> Iterator[tuple[str, str]]:
    while text:
        name, length = text[:2], text[2:4]
        if not length.isdecimal() or len(text) < 4 + int(length):
            raise NoPayload("it is cut short")
        yield name, text[4 : 4 + int(length)]
        text = text[4 + int(length) :]
