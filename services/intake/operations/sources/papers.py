"""Components and results of a procedure."""

import re
from collections.abc import Mapping

from services.intake.operations.sources.drafts import ComponentDraft, ResultDraft
from services.intake.operations.sources.oddities import Notes
from services.intake.operations.sources.texts import line_of, list_of, number_of

COMPONENTS_MAX = 500
COUNT_MAX = 20
"""More originals than anybody asks for: what stands there is not a number of papers alone."""
_CODE = re.compile(r"^[\w.\-]{1,40}$")
_CUT_NAME = re.compile(r"(?:[/.]|\bsố|\bnăm|\bNghị định|\bđịnh|\bThông tư|\bngày|\btháng|[\d\-])$")
"""How a name ends whose last number slipped into the next cell: "… ngày 24/7/" and 20231."""


def read_components(value: object, notes: Notes) -> list[ComponentDraft]:
    """Return the papers that are named, each once."""
    found: dict[str, ComponentDraft] = {}
    for place, one in enumerate(list_of(value, notes, "components")[:COMPONENTS_MAX]):
        where = f"components.{place}"
        paper = _component(one if isinstance(one, Mapping) else {"name": one}, notes, where)
        if paper is None:
            continue
        if paper.name.casefold() in found:
            notes.add(f"{where}.name", "component_repeated", paper.name, "kept once")
        else:
            found[paper.name.casefold()] = paper
    if not found:
        notes.add("components", "components_missing", "none", "the dossier is taken with whatever papers it has")
    return list(found.values())


def _component(said: Mapping[str, object], notes: Notes, where: str) -> ComponentDraft | None:
    name = line_of(said.get("name"), notes, f"{where}.name")
    form = line_of(said.get("form"), notes, f"{where}.form", most=200) or None
    if not any(letter.isalnum() for letter in name):
        name = ""
    if not name and not form:
        notes.add(f"{where}.name", "component_nameless", said, "left out")
        return None
    if not name:
        notes.add(f"{where}.name", "component_nameless", form, "named after its form")
        name = f"Mẫu {form}"
    name, originals = _originals(name, said.get("originals"), notes, where)
    copies = _count(said.get("copies"), notes, f"{where}.copies")
    return ComponentDraft(name, _code(said.get("code"), notes, where), form, originals, copies)


def _originals(name: str, value: object, notes: Notes, where: str) -> tuple[str, int]:
    """Return name and number of originals; the end of a name that slipped into the number goes back.

    The source glues "… ngày 24/7/" + "2023" and "1 original" to 20231: the last digit is the number.
    """
    number = number_of(value)
    if number is None or number <= COUNT_MAX or not float(number).is_integer() or not _CUT_NAME.search(name):
        return name, _count(value, notes, f"{where}.originals")
    slipped, originals = divmod(int(number), 10)
    whole = f"{name}{'' if name[-1] in '/.-' else ' '}{slipped}"
    notes.add(f"{where}.originals", "component_count_glued", f"{name} | {int(number)}", f"{whole} | {originals}")
    return whole, originals


def _count(value: object, notes: Notes, where: str) -> int:
    if value is None or value == "":
        return 0
    number = number_of(value)
    if number is None or not 0 <= number <= COUNT_MAX or not float(number).is_integer():
        decided = 1 if number is None or number > 0 else 0
        notes.add(where, "component_count", value, str(decided))
        return decided
    return int(number)


def _code(value: object, notes: Notes, where: str) -> str | None:
    code = line_of(value, notes, f"{where}.code", most=100)
    return code if _CODE.match(code) else None


def read_results(value: object, notes: Notes) -> list[ResultDraft]:
    """Return what the procedure ends with, each once."""
    found: dict[str, ResultDraft] = {}
    for place, one in enumerate(list_of(value, notes, "results")):
        where = f"results.{place}"
        said = one if isinstance(one, Mapping) else {"name": one}
        name, code = line_of(said.get("name"), notes, f"{where}.name"), _code(said.get("code"), notes, where)
        if not name and not code:
            notes.add(f"{where}.name", "result_nameless", said, "left out")
            continue
        if not name:
            notes.add(f"{where}.name", "result_nameless", code, "named after its code")
        elif code is None:
            notes.add(f"{where}.code", "result_code_missing", said.get("code"), "given one of the procedure's own")
        found.setdefault(code or name, ResultDraft(name or f"{code}", code))
    if not found:
        notes.add("results", "results_missing", "none", "kept without one")
    return list(found.values())
