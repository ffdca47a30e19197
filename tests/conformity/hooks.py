"""What schemathesis does besides its own: a key for every write, things that are there, and one more check."""

import os
from itertools import count
from typing import Any
from uuid import uuid4

import orjson
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import StatefulPhaseData

from shared.errors import InvalidRequest
from tests.conformity.judge import CLIENT

KEY = "Idempotency-Key"
KNOWN: dict[str, list[str]] = orjson.loads(os.environ.get("CONFORMITY_KNOWN", "{}"))
KNOWN_OF_TEN, TEN = 7, 10
_turns = count()
SAID_BY_SCHEMA = "Giá trị chưa hợp lệ."
"""What shared.problems says in Vietnamese of pydantic's own findings; our rules have words of their own."""
SAID_BY_RULE = "Value error, "
"""How pydantic begins the message of a validator that we wrote."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Give every call that changes something a key of its own, as clients have to.

    The examples carry one and the same key, and a second request of it is rightly refused with 409: behind that
    answer nothing else of the service would be seen. A key that is wrong or missing on purpose stays as it is. Most
    paths are given something that is there, from what the test said (see judge.py): a made-up id is only ever unknown.
    """
    if case.headers and KEY in case.headers and not _spoilt(case, ParameterLocation.HEADER):
        case.headers[KEY] = str(uuid4())
    _spare_the_judge(case)
    if case.path_parameters and not _spoilt(case, ParameterLocation.PATH) and not _follows(case):
        for name in case.path_parameters:
            values = _known(case.operation.path, name)
            if values and next(_turns) % TEN < KNOWN_OF_TEN:
                case.path_parameters[name] = values[next(_turns) % len(values)]


def _spare_the_judge(case: schemathesis.Case) -> None:
    """Let the run change any client but the one it calls as, whose name it learns from answers."""
    if case.path_parameters and case.path_parameters.get("client_id") == CLIENT and KNOWN.get("client_id"):
        case.path_parameters["client_id"] = KNOWN["client_id"][0]


def _known(path: str, name: str) -> list[str]:
    """Return what leads to something at a path; what is known of a part of the path counts before the bare name."""
    part = f"{{{name}}}"
    ends = sorted((one for one in KNOWN if one.endswith(part) and one in path), key=len)
    return KNOWN[ends[-1]] if ends else KNOWN.get(name, [])


def _spoilt(case: schemathesis.Case, location: ParameterLocation) -> bool:
    return case.meta is not None and case.meta.is_negative_at(location)


def _follows(case: schemathesis.Case) -> bool:
    """Tell whether a case got its values from an earlier answer, in the stateful phase."""
    return case.meta is not None and isinstance(case.meta.phase.data, StatefulPhaseData)


RULES_WITH_400 = frozenset({"invalid_cursor", "body_too_complex"})
"""Said of a cursor that we did not give, and of JSON that is too deep or too long as a whole."""


@schemathesis.check
def bad_requests_are_rules_only(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """Fail when what keeps to the schema is called a bad request, but for the few rules that no schema can say."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return None
    problem = response.json()
    # The token endpoint says everything with 400, as RFC 6749 §5.2 wants, and has a member for it.
    if problem["code"] not in RULES_WITH_400 and "error" not in problem:
        raise AssertionError(f"The schema allows what the service calls a bad request: {problem['code']}")
    return None


@schemathesis.check
def refused_by_rules_only(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """Fail when what keeps to the schema is refused for what a schema can say: type, form, length, size."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return None
    problem = response.json()
    if problem["code"] != InvalidRequest.code:
        return None
    told = [
        f"{error['field']}: {error['message']}"
        for error in problem.get("errors", [])
        if error["message_vi"] == SAID_BY_SCHEMA
        and not error["message"].startswith(SAID_BY_RULE)
        # What was saved before as a draft is judged when it is submitted, and that call has no body.
        and (case.operation.body or not error["field"].startswith("body"))
    ]
    if told:
        raise AssertionError(f"The schema allows what the service refuses: {told}")
    return None
