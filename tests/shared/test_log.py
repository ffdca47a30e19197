"""Logs: one JSON object a line, and nobody's personal data in any."""

import io
import json
import logging
from typing import Any

import orjson
import pytest

from shared import log

HIDDEN = [
    "056090000001",
    "056090000001.",
    "(056090000001)",
    "CCCD: 056090000001, cấp 2021",
    "225112233",
    "0912345678",
    "0912 345 678",
    "0912.345.678",
    "0258-382-1234",
    "+84912345678",
    "84912345678;",
    "gọi 0912345678.",
    "- 0912345678 -",
    "an.nguyen+hs@example.vn",
    "<an@example.com.vn>",
]
SHOWN = [
    "H32.14-260407-0001",
    "000.00.14.H32-260407-0001",
    "1.004222.000.00.00.H56",
    "2026-04-07T09:05:33.123456+07:00",
    "20260407090533",
    "0195f1a2-7b3c-7def-8a12-123456789012",
    "0.123456789",
    "127.0.0.1:55432",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "150000 đồng",
]


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("text", HIDDEN)
def test_number_or_address_of_a_person_is_masked(text: str) -> None:
    left = log.masked(f"trước {text} sau")
    assert "***" in left
    assert not any(digits in left for digits in ("056090", "225112", "345", "382", "example"))


@pytest.mark.parametrize("text", SHOWN)
def test_code_time_or_id_is_left_as_it_is(text: str) -> None:
    assert log.masked(f"trước {text} sau") == f"trước {text} sau"


def test_what_a_database_quotes_is_masked_to_its_end() -> None:
    row, key = "Failing row contains (c, Nguyễn\nVăn An, null).", "Key (x)=(Bí) exists."
    told = f"null value\nDETAIL:  {row}\n[SQL: INSERT]\nDETAIL:  {key}"
    assert log.masked(told) == "null value\nDETAIL: ***\n[SQL: INSERT]\nDETAIL: ***\n"


def test_log_of_ours_holds_no_personal_data(logged: io.StringIO) -> None:
    person = {"name": "Nguyễn An", "id_number": "056090000001", "codes": ["0912345678", {"email": "x"}]}
    log.get("test").info("taken 0912345678", applicant=person, name="An", facts=person, note="a@b.vn", count=7)
    (line,) = lines(logged)
    assert line["event"] == "taken ***"
    assert (line["applicant"], line["name"], line["note"], line["count"]) == ("***", "***", "***@***", 7)
    assert line["facts"] == {"name": "***", "id_number": "***", "codes": ["***", {"email": "***"}]}
    assert (line["service"], line["level"], line["logger"]) == ("toy", "info", "test")
    assert line["timestamp"].endswith("Z")


def test_log_of_a_library_is_written_and_masked_alike(logged: io.StringIO) -> None:
    logging.getLogger("library").warning("call %s for %d", "0912345678", 7)
    (line,) = lines(logged)
    assert (line["event"], line["logger"], line["level"]) == ("call *** for 7", "library", "warning")


def test_trace_of_an_exception_is_one_line_and_masked(logged: io.StringIO) -> None:
    try:
        int("056090000001 of\nan@example.vn")
    except ValueError:
        log.get("test").exception("failed")
        logging.getLogger("library").exception("failed too")
    ours, theirs = lines(logged)
    for line in (ours, theirs):
        assert "ValueError: invalid literal" in line["exception"]
        assert "056090000001" not in line["exception"]
        assert "an@example" not in line["exception"]


def test_value_that_is_no_json_is_written_all_the_same(logged: io.StringIO) -> None:
    log.get("test").info("odd", what=object(), bytes=b"\xff", number=2**70, text="\ud800")
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (line["event"], line["number"]) == ("odd", 2**70)
