"""E-forms: brought in as versions, and what is filled in checked in words that people understand."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.intake.models import Form, FormDraft, FormEntry
from services.intake.models.forms import validator_of
from services.intake.operations.catalogue import digest_of, lock_catalogue, next_revision
from shared.errors import FieldError
from shared.work import Work

PROBLEMS_MAX = 50
VALIDATORS_MAX = 1000
_FORMATS_VI: Mapping[str, str] = {
    "date": "ngày (năm-tháng-ngày)",
    "date-time": "ngày giờ",
    "email": "địa chỉ thư điện tử",
    "uri": "địa chỉ trang",
    "time": "giờ",
}
_TYPES_VI: Mapping[str, str] = {
    "string": "chữ",
    "integer": "số nguyên",
    "number": "số",
    "boolean": "có hoặc không",
    "array": "danh sách",
    "object": "nhóm thông tin",
}


async def import_forms(work: Work, *, drafts: Sequence[FormDraft], day: date) -> Sequence[FormEntry]:
    """Write the forms that are new or changed, each as its next version from a day on, and return those."""
    await lock_catalogue(work)
    wanted = select(Form.code, Form.version, Form.digest).where(Form.code.in_([draft.code for draft in drafts]))
    rows = await work.session.execute(wanted.order_by(Form.code, Form.version))
    newest = {row.code: (row.version, row.digest) for row in rows}
    fresh = []
    for draft in {draft.code: draft for draft in drafts}.values():
        version, digest = newest.get(draft.code, (0, b""))
        if digest != digest_of(draft.model_dump(mode="json")):
            fresh.append(FormEntry(**draft.model_dump(), version=version + 1, valid_from=day))
    if fresh:
        revision = await next_revision(work)
        await work.session.execute(insert(Form), [_row(work, form, revision) for form in fresh])
    return fresh


def _row(work: Work, form: FormEntry, revision: int) -> dict[str, object]:
    content = form.model_dump(mode="json")
    said = {name: value for name, value in content.items() if name not in {"version", "valid_from"}}
    return {
        "code": form.code,
        "version": form.version,
        "entry": content,
        "digest": digest_of(said),
        "procedures": list(form.procedures),
        "revision": revision,
        "imported_by": work.caller.client_id,
        "imported_at": work.now,
    }


def validate(form: FormEntry, data: Mapping[str, Any], *, field: str = "body.form_data") -> list[FieldError]:
    """Return what is wrong with what was filled in, each with the path below `field` and the field's title in words."""
    validator = _validator(orjson.dumps(form.data_schema, option=orjson.OPT_SORT_KEYS))
    problems: list[FieldError] = []
    for error in validator.iter_errors(dict(data)):
        problems.extend(_problems(form.data_schema, error, field))
        if len(problems) >= PROBLEMS_MAX:
            break
    return list(dict.fromkeys(problems))[:PROBLEMS_MAX]


@lru_cache(VALIDATORS_MAX)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return validator_of(orjson.loads(schema))


def _problems(schema: dict[str, Any], error: jsonschema_rs.ValidationError, field: str) -> list[FieldError]:
    """Return one problem, or one for each name where an error is about several."""
    path, kind = list(error.instance_path), error.kind.as_dict()
    name = error.kind.name
    if name == "required":
        return [_problem(schema, [*path, kind["property"]], field, "is required", "là bắt buộc")]
    if name in {"additionalProperties", "unevaluatedProperties"}:
        words = "is not a field of this form", "không có trong biểu mẫu này"
        return [_problem(schema, [*path, one], field, *words) for one in kind["unexpected"]]
    return [_problem(schema, path, field, *_words(name, kind))]


def _problem(schema: dict[str, Any], path: Sequence[str | int], field: str, words: str, words_vi: str) -> FieldError:
    title = _title(schema, path)
    return FieldError(".".join((field, *map(str, path))), f"“{title}” {words}.", f"“{title}” {words_vi}.")


def _words(name: str, kind: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong, in English and Vietnamese, to be read behind the field's title."""
    limit = kind.get("limit")
    options = ", ".join(map(str, _options(kind)))
    return {
        "type": (f"must be {_types(kind, {})}", f"phải là {_types(kind, _TYPES_VI)}"),
        "minLength": (f"needs at least {limit} characters", f"cần ít nhất {limit} ký tự"),
        "maxLength": (f"may have at most {limit} characters", f"chỉ được tối đa {limit} ký tự"),
        "pattern": ("is not written as it must be", "chưa đúng mẫu"),
        "format": (
            f"is no valid {kind.get('format')}",
            f"chưa đúng dạng {_FORMATS_VI.get(str(kind.get('format')), 'quy định')}",
        ),
        "enum": (f"must be one of: {options}", f"phải là một trong: {options}"),
        "const": (f"must be {options}", f"phải là {options}"),
        "minimum": (f"must be {limit} or more", f"phải từ {limit} trở lên"),
        "maximum": (f"must be {limit} or less", f"phải từ {limit} trở xuống"),
        "exclusiveMinimum": (f"must be more than {limit}", f"phải lớn hơn {limit}"),
        "exclusiveMaximum": (f"must be less than {limit}", f"phải nhỏ hơn {limit}"),
        "multipleOf": (
            f"must be a multiple of {kind.get('multiple_of')}",
            f"phải chia hết cho {kind.get('multiple_of')}",
        ),
        "minItems": (f"needs at least {limit} entries", f"cần ít nhất {limit} mục"),
        "maxItems": (f"may have at most {limit} entries", f"chỉ được tối đa {limit} mục"),
        "uniqueItems": ("names something twice", "có mục bị trùng"),
    }.get(name, ("does not fit what else was filled in", "chưa phù hợp với các thông tin khác"))


def _options(kind: Mapping[str, Any]) -> list[Any]:
    options = kind.get("options", kind.get("expected_value", []))
    return options if isinstance(options, list) else [options]


def _types(kind: Mapping[str, Any], words: Mapping[str, str]) -> str:
    types = kind.get("types", kind.get("type", []))
    listed = types if isinstance(types, list) else [types]
    joined = " or " if not words else " hoặc "
    return joined.join(words.get(str(one), str(one)) for one in listed)


def _title(schema: dict[str, Any], path: Sequence[str | int]) -> str:
    """Return the Vietnamese titles down to a field, as people find it on their screen: "Người chết, mục 2, Họ tên"."""
    titles, here = [], schema
    for part in path:
        here = _resolved(schema, here)
        if isinstance(part, int):
            titles.append(f"mục {part + 1}")
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part, {})
            titles.append(str(_resolved(schema, here).get("title") or here.get("title") or part))
    return ", ".join(titles) or str(schema.get("title") or "Biểu mẫu")


def _resolved(schema: dict[str, Any], part: object) -> dict[str, Any]:
    """Follow a `$ref` within the schema; an empty one where it leads nowhere."""
    found = part if isinstance(part, dict) else {}
    for _ in range(10):
        target = found.get("$ref")
        if not isinstance(target, str) or not target.startswith("#/"):
            return found
        here: object = schema
        for step in target[2:].split("/"):
            here = here.get(step, {}) if isinstance(here, dict) else {}
        found = {**(here if isinstance(here, dict) else {}), **({"title": found["title"]} if "title" in found else {})}
    return found
