"""What schemathesis does besides its own: a key for every write, and one more check."""

from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.core.parameters import ParameterLocation

KEY = "Idempotency-Key"
SAID_BY_SCHEMA = "Giá trị chưa hợp lệ."
"""What shared.problems says in Vietnamese of pydantic's own findings; our rules have words of their own."""
SAID_BY_RULE = "Value error, "
"""How pydantic begins the message of a validator that we wrote."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Give every call that changes something a key of its own, as clients have to.

    The examples carry one and the same key, and a second request of it is rightly refused with 409: behind that
    answer nothing else of the service would be seen. A key that is wrong or missing on purpose stays as it is.
    """
    headers = case.headers
    meta = case.meta
    spoilt = meta is not None and meta.is_negative_at(ParameterLocation.HEADER)
    if headers and KEY in headers and not spoilt:
        headers[KEY] = str(uuid4())


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
