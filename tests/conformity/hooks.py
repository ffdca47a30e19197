"""What schemathesis does besides its own: a key for every write, things that are there, and one more check."""

import os
from itertools import count
from typing import Any
from uuid import uuid4

import orjson
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import StatefulPhaseData

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
    if case.path_parameters and not _spoilt(case, ParameterLocation.PATH) and not _follows(case):
        for name in case.path_parameters:
            if name in KNOWN and next(_turns) % TEN < KNOWN_OF_TEN:
                values = KNOWN[name]
                case.path_parameters[name] = values[next(_turns) % len(values)]


def _spoilt(case: schemathesis.Case, location: ParameterLocation) -> bool:
    return case.meta is not None and case.meta.is_negative_at(location)


def _follows(case: schemathesis.Case) -> bool:
    """Tell whether a case got its values from an earlier answer, in the stateful phase."""
    return case.meta is not None and isinstance(case.meta.phase.data, StatefulPhaseData)


@schemathesis.check
def refused_by_rules_only(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """Fail when what keeps to the schema is refused for what a schema can say: type, form, length, size."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return None
    problem = response.json()
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
