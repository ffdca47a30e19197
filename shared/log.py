"""Structured logs, one JSON object a line, without personal data."""

import logging
import re
from collections.abc import MutableMapping
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
_NUMBER = re.compile(r"(?<![\w.-])(\d{9}|\d{12}|0\d{9})(?![\w.-])")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def masked(text: str) -> str:
    """Return a text with identity and phone numbers and e-mail addresses replaced by asterisks."""
    return _EMAIL.sub("***@***", _NUMBER.sub("***", text))


def _mask(value: object) -> object:
    return masked(value) if isinstance(value, str) else value


def hide_personal_data(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values of personal fields, identity and phone numbers and e-mail addresses by asterisks."""
    for key, value in entry.items():
        entry[key] = "***" if key in _PERSONAL_KEYS else _mask(value)
    return entry


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
    renderer = structlog.processors.JSONRenderer(
        serializer=lambda entry, **_: orjson.dumps(entry, default=str).decode()
    )
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
