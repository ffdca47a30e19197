"""From the real catalogue to a province's files."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.province import catalogue as made
from deploy.province.loading import Province
from deploy.province.people import write_accounts
from deploy.province.plan import Sizes, agency_rows, places
from services.intake.settings import IntakeSettings

KHANH_HOA = "56"
COMMUNES_WITHOUT_A_LIST = 65


class SourceMissingError(Exception):
    """A file cannot be read; the message names it."""


def make(folder: Path, sizes: Sizes, *, catalogue: Path | None, units: Path | None) -> Province:
    """Write a province's files and return it. Raises SourceMissingError."""
    folder.mkdir(parents=True, exist_ok=True)
    found = places(_communes(units), sizes.issuers)
    rows = made.procedures(_national(catalogue), sizes.procedures)
    _write_lines(folder / "agencies.jsonl", list(agency_rows(found)))
    _write_lines(folder / "procedures.jsonl", rows)
    forms = list(made.forms(rows, sizes.forms))
    _write_lines(folder / "forms.jsonl", [form.model_dump(mode="json") for form in forms])
    write_accounts(folder / "accounts.csv", found, sizes.accounts)
    processes = list(made.processes(rows, found, sizes.processes))
    return Province(folder=folder, sizes=sizes, places=found, forms=forms, processes=processes)


def _national(path: Path | None) -> list[dict[str, Any]]:
    if path is None:
        sample = json.loads(
            IntakeSettings.model_fields["catalogue_file"].get_default(call_default_factory=True).read_text()
        )
        return [_in_national_words(one) for one in sample["procedures"]]
    rows = []
    for nth, line in enumerate(_text(path).splitlines(), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as problem:
                raise SourceMissingError(f"{path}, line {nth}: {problem}") from problem
    if not rows or not all(isinstance(row, dict) and row.get("code") for row in rows):
        raise SourceMissingError(f"{path} is no catalogue: one JSON object with a code on each line is wanted.")
    return rows


def _in_national_words(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a procedure of the packaged sample as the national catalogue would list it."""
    term = entry.get("duration") or {}
    ways = [
        {
            "channel": channel,
            "duration": term.get("amount"),
            "duration_unit": term.get("unit"),
            "fees": [],
            "free": not entry.get("fees"),
            "note": None,
        }
        for channel in entry["channels"]
    ]
    papers = [
        {name: paper.get(name) for name in ("name", "form", "originals", "copies")}
        for paper in entry.get("components", ())
    ]
    return {
        "code": entry["code"] + made.SUFFIX,
        "name": entry["name"],
        "levels": [entry["level"]],
        "field": entry["field"],
        "applicants": sorted(entry["applicants"]),
        "channels": ways,
        "components": papers,
        "results": [{"code": result["code"], "name": result["name"]} for result in entry.get("results", ())],
    }


def _communes(path: Path | None) -> Sequence[str]:
    if path is None:
        return [f"xã số {number}" for number in range(1, COMMUNES_WITHOUT_A_LIST + 1)]
    try:
        provinces = json.loads(_text(path))
        return [ward["name"] for one in provinces if one["code"] == KHANH_HOA for ward in one["wards"]]
    except (ValueError, KeyError, TypeError) as problem:
        raise SourceMissingError(f"{path} is no list of administrative units: {problem}") from problem


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, ValueError) as problem:
        raise SourceMissingError(f"{path} cannot be read: {problem}") from problem


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
