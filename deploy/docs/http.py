"""What HTTP offers: an OpenAPI document per process, and the catalogue of all problems."""

from collections.abc import Sequence
from pathlib import Path

from deploy.docs.parts import Part, import_everything
from deploy.docs.text import NOTE, Incomplete, as_json, table
from gateway.operations.contract import merged
from shared.errors import DomainError, catalogue


def documents(parts: Sequence[Part]) -> dict[Path, str]:
    """Return the documents about HTTP. Raises Incomplete when two problems share a code and differ."""
    import_everything()
    found = {part.name: part.app().openapi() for part in parts}
    whole = merged(found["gateway"], {name: one for name, one in found.items() if name != "gateway"})
    return {
        **{Path(f"docs/reference/openapi/{name}.json"): as_json(one, sort=True) for name, one in found.items()},
        Path("docs/reference/openapi/motcua.json"): as_json(whole, sort=True),
        Path("docs/reference/problems.md"): _problems(),
    }


def _problems() -> str:
    rows: dict[str, list[str]] = {}
    for problem in sorted(filter(_is_ours, catalogue()), key=lambda found: (found.code, found.__module__)):
        row = rows.setdefault(
            problem.code, [f"`{problem.code}`", str(problem.status), problem.title(), problem.title_vi, ""]
        )
        if row[1] != str(problem.status):
            raise Incomplete(f"{problem.__module__}: {problem.code} has another status elsewhere")
        row[4] = ", ".join(filter(None, [row[4], _owner(problem)]))
    head = ["Code", "Status", "Title", "Tiêu đề", "Answered by"]
    return "\n\n".join(["# Problems", NOTE, _INTRODUCTION, table(head, rows.values())]) + "\n"


_INTRODUCTION = """\
Every refusal is an RFC 9457 problem document, `application/problem+json`: `type` is `urn:motcua:problem:CODE`, beside
`title`, `title_vi`, `status`, `code` and mostly `detail`; `errors` name the fields that are wrong. Codes keep their
meaning for ever."""


def _is_ours(problem: type[DomainError]) -> bool:
    """Tell a refusal of the system from one that a test made for itself."""
    return problem.__module__.partition(".")[0] in {"shared", "services", "gateway"}


def _owner(problem: type[DomainError]) -> str:
    package, _, rest = problem.__module__.partition(".")
    return {"shared": "all", "services": rest.partition(".")[0]}.get(package, package)
