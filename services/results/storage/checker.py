"""Asks processes of its own whether a PDF's signatures are good: bounded in number, memory and time."""

import asyncio
import json
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.results.errors import (
    CertificateExpired,
    CertificateRevoked,
    DocumentChanged,
    DocumentUnreadable,
    SignatureBroken,
    SignatureNotCovering,
    SignatureUntrusted,
    TimestampNotValid,
)
from shared import clock, log
from shared.errors import DomainError, TransientError

TIMEOUT_S = 30
IDLE_S = 120
LENGTH = struct.Struct(">I")
REFUSALS: Mapping[str, type[DomainError]] = {
    "unreadable": DocumentUnreadable,
    "changed": DocumentChanged,
    "broken": SignatureBroken,
    "not_covered": SignatureNotCovering,
    "untrusted": SignatureUntrusted,
    "expired": CertificateExpired,
    "revoked": CertificateRevoked,
    "timestamp": TimestampNotValid,
}
"""What storage.pades refuses → the refusal that clients see."""

_log = log.get(__name__)


class CheckFailed(TransientError):
    """The signatures could not be checked at the moment."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A PDF that may be taken."""

    signatures: Sequence[dict[str, Any]]
    """Oldest first; none: it is not signed."""


class SignatureChecker:
    """Checks PDFs in worker processes, which begin at the first document and end after a time without any."""

    def __init__(self, trust_folder: str = "", *, workers_max: int = 1, idle_s: float = IDLE_S) -> None:
        self._folder = trust_folder
        self._slots = asyncio.Semaphore(workers_max)
        self._idle: list[asyncio.subprocess.Process] = []
        self._idle_s = idle_s
        self._ending: dict[asyncio.subprocess.Process, asyncio.TimerHandle] = {}

    async def check(self, document: bytes, moment: datetime | None = None) -> Checked:
        """Return who signed a PDF; moment is when it is judged (now).

        Raises DocumentUnreadable, DocumentChanged, SignatureBroken, SignatureNotCovering, SignatureUntrusted,
        CertificateExpired, CertificateRevoked, TimestampNotValid, CheckFailed.
        """
        async with self._slots:
            answer = await self._asked(document, (moment or clock.now()).isoformat())
        if "code" in answer:
            raise REFUSALS[answer["code"]](f"{answer['detail']}.")
        if "failed" in answer:
            _log.error("signatures.not_checked", reason=answer["failed"])
            raise CheckFailed(answer["failed"])
        return Checked(answer["signatures"])

    async def _asked(self, document: bytes, moment: str) -> dict[str, Any]:
        worker = await self._worker()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await _ask(worker, document, moment)
        except TimeoutError as problem:
            await _end(worker)
            raise DocumentUnreadable(f"reading it took longer than {TIMEOUT_S} s.") from problem
        except (OSError, asyncio.IncompleteReadError) as problem:
            await _end(worker)
            # It ran out of memory or crashed on this very document: asking again would do the same.
            raise DocumentUnreadable("it cannot be read within the memory there is.") from problem
        except BaseException:
            await _end(worker)
            raise
        self._rest(worker)
        return answer

    async def _worker(self) -> asyncio.subprocess.Process:
        while self._idle:
            worker = self._idle.pop()
            self._ending.pop(worker).cancel()
            if worker.returncode is None:
                return worker
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.results.storage.worker",
            self._folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await _heard(worker)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as problem:
            await _end(worker)
            raise CheckFailed("no process for it could be started") from problem
        return worker

    def _rest(self, worker: asyncio.subprocess.Process) -> None:
        self._idle.append(worker)
        loop = asyncio.get_running_loop()
        self._ending[worker] = loop.call_later(self._idle_s, self._let_go, worker)

    def _let_go(self, worker: asyncio.subprocess.Process) -> None:
        self._ending.pop(worker, None)
        if worker in self._idle:
            self._idle.remove(worker)
            if worker.stdin:
                worker.stdin.close()

    async def close(self) -> None:
        """End the processes."""
        for handle in self._ending.values():
            handle.cancel()
        self._ending.clear()
        while self._idle:
            await _end(self._idle.pop())


async def _ask(worker: asyncio.subprocess.Process, document: bytes, moment: str) -> dict[str, Any]:
    if worker.stdin is None:
        raise BrokenPipeError
    question = json.dumps({"size": len(document), "moment": moment}).encode()
    worker.stdin.write(LENGTH.pack(len(question)) + question)
    worker.stdin.write(document)
    await worker.stdin.drain()
    return await _heard(worker)


async def _heard(worker: asyncio.subprocess.Process) -> dict[str, Any]:
    if worker.stdout is None:
        raise BrokenPipeError
    (length,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
    return json.loads(await worker.stdout.readexactly(length))


async def _end(worker: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        worker.kill()
    await worker.wait()
