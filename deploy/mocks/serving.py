"""Runs a mock's app as a process of its own."""

import uvicorn
from fastapi import FastAPI

from shared import log

SHUTDOWN_S = 2
"""A held answer may not hold the process."""


def serve(app: FastAPI, name: str, *, host: str, port: int) -> None:
    """Serve until the process is asked to end."""
    log.configure(name, "INFO")
    uvicorn.run(app, host=host, port=port, access_log=False, log_config=None, timeout_graceful_shutdown=SHUTDOWN_S)
