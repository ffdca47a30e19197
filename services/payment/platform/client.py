"""Our calls to the platform; never made inside a transaction."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from opentelemetry.trace import SpanKind
from prometheus_client import Counter
from pydantic import ValidationError

from services.payment.models import Fee, Payment
from services.payment.platform import messages
from services.payment.platform.messages import Report
from shared import clock, telemetry
from shared.errors import TransientError

CALLS = Counter("motcua_platform_calls_total", "Calls to the payment platform, by outcome.", ["message", "outcome"])
PDF = "application/pdf"
URL_MAX = 2_000


class PlatformUnclear(TransientError):
    """The platform gave no answer that can be relied on: what was asked may or may not have taken effect."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Who we are to the platform."""

    code: str
    """MaDoiTac."""
    secret: str
    ip: str
    account: Mapping[str, str]
    """Which account the money goes to, in the words of ThongTinBienLai."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform understood and said no."""

    code: str


class Platform:
    """The platform as this province's partner sees it.

    Every call raises PlatformUnclear when there is no answer in time, or one that is not in the platform's words.
    """

    def __init__(self, partner: Partner, http: httpx.AsyncClient, *, timeout_s: float) -> None:
        self.partner = partner
        self._http = http
        self._timeout_s = timeout_s

    async def init(self, fee: Fee, payment: Payment) -> str | Refused:
        """Open an attempt and return the link under which it can be paid; the same attempt can be opened again."""
        message = messages.init_message(
            fee, payment, partner=self.partner.code, ip=self.partner.ip, account=self.partner.account
        )
        answer = _object(await self._ask("init", messages.signed(message, messages.INIT_ORDER, self.partner.secret)))
        code, link = str(answer.get("MaLoi", "")), str(answer.get("UrlThanhToan", ""))
        if code == messages.TAKEN and link.startswith(("https://", "http://")) and len(link) <= URL_MAX:
            return link
        if code in {"", messages.TAKEN}:
            raise PlatformUnclear("the answer to INIT has no MaLoi or no link")
        return Refused(code)

    async def query(self, reference: str) -> Report | Refused:
        """Ask how an attempt stands; a report is signed by the platform, a refusal is not."""
        asked = messages.question_message("QUERY", partner=self.partner.code, reference=reference, now=clock.now())
        answer = _object(await self._ask("query", messages.signed(asked, messages.QUERY_ORDER, self.partner.secret)))
        code = str(answer.get("MaLoi", ""))
        if code == messages.TAKEN:
            return self._report(answer, reference)
        if code:
            return Refused(code)
        raise PlatformUnclear("the answer to QUERY has no MaLoi")

    async def bill(self, reference: str) -> bytes | Refused:
        """Return the platform's own receipt of a paid attempt as PDF."""
        asked = messages.question_message("GET_BILL", partner=self.partner.code, reference=reference, now=clock.now())
        answer = await self._ask("bill", messages.signed(asked, messages.QUERY_ORDER, self.partner.secret))
        if answer.headers.get("content-type", "").startswith(PDF):
            return answer.content
        code = str(_object(answer).get("MaLoi", ""))
        if code in {"", messages.TAKEN}:
            raise PlatformUnclear("the answer to GET_BILL is no PDF")
        return Refused(code)

    def is_authentic(self, report: Report) -> bool:
        """Tell whether the platform itself signed a report, and for us."""
        words = report.model_dump(by_alias=True)
        return messages.is_authentic(words, messages.CONFIRM_ORDER, self.partner.secret) and (
            report.partner == self.partner.code
        )

    def reply(self, *, code: str, description: str, reference: str) -> messages.Reply:
        """Return our signed answer to a CONFIRM."""
        words = {
            "MaLoi": code,
            "MoTaLoi": description,
            "MaDoiTac": self.partner.code,
            "MaThamChieu": reference,
            "ThoiGianGD": messages.write_time(clock.now()),
        }
        return messages.Reply.model_validate(messages.signed(words, messages.REPLY_ORDER, self.partner.secret))

    def _report(self, answer: dict[str, Any], reference: str) -> Report:
        try:
            report = Report.model_validate(answer)
        except ValidationError as problem:
            raise PlatformUnclear("the answer to QUERY does not fit its form") from problem
        if not self.is_authentic(report) or report.kind != "QUERY" or report.reference != reference:
            raise PlatformUnclear("the answer to QUERY is not signed by the platform")
        return report

    async def _ask(self, path: str, message: dict[str, object]) -> httpx.Response:
        outcome = "unclear"
        with telemetry.span(f"POST platform/{path}", SpanKind.CLIENT, telemetry.current_traceparent()):
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await self._http.post(f"/payment/{path}", json=message)
                if answer.status_code != httpx.codes.OK:
                    raise PlatformUnclear(f"HTTP status {answer.status_code}")
                outcome = "answered"
            except (httpx.HTTPError, TimeoutError) as problem:
                raise PlatformUnclear(type(problem).__name__) from problem
            finally:
                CALLS.labels(path, outcome).inc()
        return answer


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError as problem:
        raise PlatformUnclear("the answer is no JSON") from problem
    if not isinstance(found, dict):
        raise PlatformUnclear("the answer is no object")
    return found
