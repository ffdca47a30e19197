"""The process that checks signatures: `python -m services.results.storage.worker [trust folder]`.

It is apart because what it reads was made by strangers, and because the libraries that read it are large: it may use so
much memory and no network, and is killed when it takes too long. On the wire, both ways: length of a JSON object
(4 bytes), the object, and after a question as many bytes of document as it says.
"""

import json
import logging
import resource
import struct
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from services.results.storage import pades, trust

MEMORY_MAX_BYTES = 1024 * 1024 * 1024
LENGTH = struct.Struct(">I")


def main() -> None:
    """Answer questions until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What the libraries say about a document may quote it: nobody's name goes into a log.
    logging.disable(logging.CRITICAL)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] else None
    known = trust.TrustLists()
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    _write(answers, {"ready": True})
    while question := _read(questions):
        document = questions.read(question["size"])
        try:
            known = trust.read(folder, known)
            moment = datetime.fromisoformat(question["moment"])
            answer: Mapping[str, Any] = {"signatures": pades.check(document, known, moment)}
        except pades.Refused as refusal:
            answer = {"code": refusal.code, "detail": refusal.detail}
        except (ValueError, OSError) as problem:
            answer = {"failed": f"{type(problem).__name__}: {problem}"}
        _write(answers, answer)


def _read(stream: IO[bytes]) -> dict[str, Any] | None:
    length = stream.read(LENGTH.size)
    return json.loads(stream.read(*LENGTH.unpack(length))) if len(length) == LENGTH.size else None


def _write(stream: IO[bytes], answer: Mapping[str, Any]) -> None:
    content = json.dumps(answer).encode()
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


if __name__ == "__main__":
    main()
