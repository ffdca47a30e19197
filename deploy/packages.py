"""The processes that own a database and a queue: name and Python package. Light, since every command loads it."""

from collections.abc import Mapping

PACKAGES: Mapping[str, str] = {
    "intake": "services.intake",
    "workflow": "services.workflow",
    "payment": "services.payment",
    "results": "services.results",
    "gateway": "gateway",
}
