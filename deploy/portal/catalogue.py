"""The national catalogue in the portal's words (DOMAIN.md §1.2: keys in upper case), from the sample catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

CHANNELS = {"direct": "1", "online": "2", "postal": "3"}
UNITS = {
    "hour": "Giờ",
    "working_hour": "Giờ làm việc",
    "day": "Ngày",
    "working_day": "Ngày làm việc",
    "month": "Tháng",
}
LEVELS = {"province": "Cấp tỉnh", "commune": "Cấp xã"}

Words = dict[str, object]
Source = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What /share answers from; empty when there is no file to read."""

    procedures: list[Words] = field(default_factory=list)
    """Rows of LayDanhSachTTHC, without the details."""
    fields: list[Words] = field(default_factory=list)
    agencies: list[Words] = field(default_factory=list)
    details: dict[str, Words] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a catalogue file as the intake service publishes it."""
        if not file.is_file():
            return cls()
        source = orjson.loads(file.read_bytes())
        fields = {one["code"]: one["name"] for one in source["fields"]}
        agencies = {one["code"]: one["name"] for one in source["agencies"]}
        details = {one["code"]: _procedure(one, fields, agencies) for one in source["procedures"]}
        return cls(
            [{name: one[name] for name in ("MATTHC", "TENTTHC", "LINHVUCTHUCHIEN")} for one in details.values()],
            [{"MALINHVUC": code, "TENLINHVUC": name} for code, name in fields.items()],
            [_agency(one) for one in source["agencies"]],
            details,
        )

    def procedure(self, code: str) -> list[Words]:
        """Return the one row of LayThuTuc, or none; a province's own suffix is left aside."""
        found = self.details.get(".".join(code.split(".")[:2]))
        return [found] if found else []

    def change(self, code: str, words: Words | None) -> None:
        """Let a procedure be another one, or (None) no longer be listed, until the portal is started again."""
        kept = [one for one in self.procedures if one["MATTHC"] != code]
        self.details.pop(code, None)
        if words is not None:
            self.details[code] = words
            kept.append({name: words[name] for name in ("MATTHC", "TENTTHC", "LINHVUCTHUCHIEN")})
        self.procedures[:] = kept


def _agency(source: Source) -> Words:
    return {
        "MADONVI": source["code"],
        "TENDONVI": source["name"],
        "CAPDONVI": LEVELS.get(source["level"], source["level"]),
        "MADONVICHA": source["parent"] or "",
    }


def _procedure(source: Source, fields: Mapping[str, str], agencies: Mapping[str, str]) -> Words:
    return {
        "MATTHC": source["code"],
        "TENTTHC": source["name"],
        "LINHVUCTHUCHIEN": [{"MALINHVUC": source["field"], "TENLINHVUC": fields.get(source["field"], "")}],
        "COQUANTHUCHIEN": [{"MADONVI": code, "TENDONVI": agencies.get(code, "")} for code in source["agencies"]],
        "TRINHTUTHUCHIEN": [
            {"TRUONGHOP": "", "TRINHTU": [{"TENTRINHTU": step["name"]} for step in source["process"]["steps"]]}
        ],
        "CACHTHUCTHUCHIEN": [_way(source, channel) for channel in source["channels"]],
        "THANHPHANHOSO": [_component(one) for one in source["components"]],
        "KETQUATHUCHIEN": [{"MAKETQUA": one["code"], "TENKETQUA": one["name"]} for one in source["results"]],
        "CANCUPHAPLY": [{"SOVANBAN": "", "TENVANBAN": name} for name in source["legal_basis"]],
        "YEUCAU": "",
    }


def _way(source: Source, channel: str) -> Words:
    duration = source["duration"]
    return {
        "KENH": CHANNELS[channel],
        "THOIGIAN": [
            {
                "THOIGIANGIAIQUYET": f"{duration['amount']:g}",
                "DONVITINH": UNITS[duration["unit"]],
                "MOTA": "",
                "PHILEPHI": [
                    {"SOTIEN": str(fee["amounts_vnd"][channel]), "DONVI": "VNĐ", "MOTA": fee["name"]}
                    for fee in source["fees"]
                    if channel in fee["amounts_vnd"]
                ],
            }
        ],
    }


def _component(source: Source) -> Words:
    return {
        "GIAYTO": source["name"],
        "MAGIAYTO": source["code"],
        "TENMAUDON": source["form"] or "",
        "URL": "",
        "BANCHINH": str(source["originals"]),
        "BANSAO": str(source["copies"]),
    }
