"""What schemathesis does before it sends a request."""

from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.core.parameters import ParameterLocation

KEY = "Idempotency-Key"


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
