"""Structured logs, one JSON object a line, without personal data."""

import json
import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson
import structlog

_PERSONAL_KEYS = frozenset(
    {
        "applicant",
        "owner",
        "name",
        "email",
        "phone",
        "id_number",
        "address",
        "authorization",
        "password",
        "secret",
        "body",
    }
)
# Not inside a longer name or number: a dossier code, a decimal, a UUID's last group are none.
_NUMBER = re.compile(
    r"(?<!\w)(?<!\w[.-])"
    r"(?:\d{9}|\d{12}|0\d{9}|(?:\+|00)?84\d{9}|0\d{2,3}(?P<gap>[ .-])\d{3}(?P=gap)\d{3,4})"
    r"(?!\w|[.-]\w)"
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
# PostgreSQL quotes whole rows and keys there.
_DETAIL = re.compile(
    r"^DETAIL:.*?(?=^(?:HINT|CONTEXT|\[SQL|\(Background|  File|The above|During|Traceback)|\Z)",
    re.MULTILINE | re.DOTALL,
)


def masked(text: str) -> str:
    """Return a text with identity and phone numbers, e-mail addresses and a database's quotes replaced by asterisks."""
    return _DETAIL.sub("DETAIL: ***\n", _EMAIL.sub("***@***", _NUMBER.sub("***", text)))


def _mask(value: object) -> object:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return _masked_members(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(inner) for inner in value]
    return value


def _masked_members(members: Mapping[str, object]) -> dict[str, object]:
    return {name: "***" if name in _PERSONAL_KEYS else _mask(value) for name, value in members.items()}


def hide_personal_data(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values of personal fields, identity and phone numbers and e-mail addresses by asterisks."""
    entry.update(_masked_members(entry))
    return entry


def _as_json(entry: Any, **_: object) -> str:  # noqa: ANN401 - whatever was logged
    try:
        return orjson.dumps(entry, default=str).decode()
    except TypeError:
        # What orjson cannot write (an integer beyond 64 bits, a lone surrogate) must not cost the line.
        return json.dumps(entry, default=str)


def configure(service: str, level: str) -> None:
    """Send this process's logs, also those of its libraries, to standard output as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        hide_personal_data,
    ]
    renderer = structlog.processors.JSONRenderer(serializer=_as_json)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "aiormq", "aio_pika", "uvicorn.access"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    return structlog.stdlib.get_logger(name)
