"""The province's catalogue, as intake has it: compared with, added to, and ended in, through intake's own import."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson

from gateway.portal.port import Words
from gateway.upstream import Answer, Upstream
from shared.ids import new_id

SOURCE = "national portal"


class IntakeRefused(Exception):
    """Intake answered otherwise than was expected; `answer` is what it said."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"intake answered {answer.status}")
        self.answer = answer


class IntakeCatalogue:
    """Calls intake with a bearer's rights. Every call may raise UpstreamAway, UpstreamTimeout, IntakeRefused."""

    def __init__(self, upstream: Upstream, authorization: Callable[[], str]) -> None:
        self._upstream = upstream
        self._authorization = authorization

    async def compare(self, rows: Sequence[Words]) -> Sequence[Mapping[str, Any]]:
        """Return {code, kind, fields} of rows that are not as they stand there."""
        report = await self.bring(rows, key=f"catalogue-compare-{new_id()}", dry_run=True)
        return report["differences"]

    async def in_force(self, code: str) -> bool:
        """Tell whether a procedure takes dossiers today."""
        answer = await self._call("GET", f"/procedures/{quote(code, safe='')}", accepted={HTTPStatus.NOT_FOUND})
        return answer.status == HTTPStatus.OK and not answer.json().get("valid_to")

    async def bring(self, rows: Sequence[Words], *, key: str, dry_run: bool) -> dict[str, Any]:
        """Bring procedures in, in the portal's words, or say what that would do; return the report."""
        body = {"procedures": list(rows), "source": SOURCE, "dry_run": dry_run}
        return (await self._call("POST", "/catalogue/imports", body, key=key)).json()

    async def end(self, code: str, *, last_day: date, key: str) -> None:
        """End a procedure: it is kept, and takes no dossier after its last day."""
        path = f"/procedures/{quote(code, safe='')}/expire"
        await self._call("POST", path, {"last_day": last_day.isoformat()}, key=key)

    async def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "",
        accepted: frozenset[int] | set[int] = frozenset(),
    ) -> Answer:
        headers = [("authorization", self._authorization()), ("content-type", "application/json")]
        answer = await self._upstream.call(
            "intake",
            method,
            path,
            headers=[*headers, ("idempotency-key", key)] if key else headers,
            body=None if body is None else orjson.dumps(body),
        )
        if answer.status != HTTPStatus.OK and answer.status not in accepted:
            raise IntakeRefused(answer)
        return answer
