"""The national payment platform (DVCQG) behind the port; its words are in `messages`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import ValidationError

from services.payment.models import Fee, Payment, Refund
from services.payment.operations.attempts import Link
from services.payment.operations.money import Notice
from services.payment.platform import messages
from services.payment.platform.calls import PDF, URL_MAX, loggable, post, read_object
from services.payment.platform.keys import Keys
from services.payment.platform.messages import Report
from services.payment.platform.port import Reading, RefundAnswer, RefundState, Refused, Standing, State, Unclear
from services.payment.states import Outcome, Provider
from shared import clock


@dataclass(frozen=True, slots=True)
class Partner:
    """Who we are to the platform."""

    code: str
    """MaDoiTac."""
    keys: Keys
    ip: str
    account: Mapping[str, str]
    """Which account the money goes to, in the words of ThongTinBienLai."""


class Platform:
    """The platform as this province's partner sees it."""

    provider = Provider.NATIONAL_PLATFORM

    def __init__(self, partner: Partner, http: httpx.AsyncClient, *, timeout_s: float) -> None:
        self.partner = partner
        self._http = http
        self._timeout_s = timeout_s

    async def start(self, fee: Fee, payment: Payment) -> Link | Refused:
        """INIT: return the link under which the attempt can be paid."""
        message = messages.init_message(
            fee, payment, partner=self.partner.code, ip=self.partner.ip, account=self.partner.account
        )
        answer = read_object(await self._call("init", self._signed(message, messages.INIT_ORDER)))
        code, link = str(answer.get("MaLoi", "")), str(answer.get("UrlThanhToan", ""))
        if code == messages.TAKEN and link.startswith(("https://", "http://")) and len(link) <= URL_MAX:
            return Link(pay_url=link)
        if code in {"", messages.TAKEN}:
            raise Unclear("the answer to INIT has no MaLoi or no link")
        return Refused(code)

    async def ask(self, payment: Payment) -> Standing | Refused:
        """QUERY; a report is signed by the platform, a refusal is not."""
        asked = self._question("QUERY", payment.reference)
        answer = read_object(await self._call("query", self._signed(asked, messages.QUERY_ORDER)))
        code = str(answer.get("MaLoi", ""))
        if code == messages.TAKEN:
            return self._standing(answer, payment.reference)
        if code:
            return Refused(code)
        raise Unclear("the answer to QUERY has no MaLoi")

    def read(self, words: Mapping[str, object]) -> Reading:
        """CONFIRM: its hash is its only credential."""
        report = Report.model_validate(words)
        key = self._key(report)
        notice = Notice(
            self.provider,
            reference=loggable(report.reference),
            transaction_number=loggable(report.transaction_number),
            code=loggable(report.code),
            key_used=key,
        )
        if key is None:
            return Reading(notice, refusal=Outcome.WRONG_HASH)
        money = report.money()
        if report.kind != "CONFIRM" or not report.code or (report.code == messages.TAKEN and money is None):
            return Reading(notice, refusal=Outcome.MALFORMED)
        if report.code == messages.TAKEN:
            return Reading(notice, Standing(State.PAID, money))
        return Reading(notice, Standing(State.FAILED, reason=f"declined_{notice.code}"))

    async def refund(self, refund: Refund, payment: Payment) -> RefundAnswer:
        """Refuse: the platform has no message for it."""
        del refund, payment
        return RefundAnswer(RefundState.REFUSED, "unsupported")

    async def bill(self, payment: Payment) -> bytes | Refused:
        """GET_BILL: return the platform's own receipt of a paid attempt."""
        asked = self._question("GET_BILL", payment.reference)
        answer = await self._call("bill", self._signed(asked, messages.QUERY_ORDER))
        if answer.headers.get("content-type", "").startswith(PDF):
            return answer.content
        code = str(read_object(answer).get("MaLoi", ""))
        if code in {"", messages.TAKEN}:
            raise Unclear("the answer to GET_BILL is no PDF")
        return Refused(code)

    def reply(self, *, code: str, description: str, reference: str, key_used: str | None = None) -> messages.Reply:
        """Return our answer to a CONFIRM, signed with the secret that signed it."""
        words = {
            "MaLoi": code,
            "MoTaLoi": description,
            "MaDoiTac": self.partner.code,
            "MaThamChieu": reference,
            "ThoiGianGD": messages.write_time(clock.now()),
        }
        signed = messages.signed(words, messages.REPLY_ORDER, self.partner.keys.named(key_used))
        return messages.Reply.model_validate(signed)

    def _key(self, report: Report) -> str | None:
        """Return which secret of ours signed a report that is for us; None when none did."""
        if report.partner != self.partner.code:
            return None
        words = report.model_dump(by_alias=True)
        return self.partner.keys.match(lambda secret: messages.is_authentic(words, messages.CONFIRM_ORDER, secret))

    def _standing(self, answer: dict[str, Any], reference: str) -> Standing:
        try:
            report = Report.model_validate(answer)
        except ValidationError as problem:
            raise Unclear("the answer to QUERY does not fit its form") from problem
        if self._key(report) is None or report.kind != "QUERY" or report.reference != reference:
            raise Unclear("the answer to QUERY is not signed by the platform")
        money = report.money()
        if report.state == messages.PAID and money is not None:
            return Standing(State.PAID, money)
        if report.state == messages.FAILED:
            return Standing(State.FAILED)
        if report.state == messages.PENDING:
            return Standing(State.PENDING)
        raise Unclear("the answer to QUERY says neither paid nor failed nor pending")

    def _question(self, kind: str, reference: str) -> dict[str, object]:
        return messages.question_message(kind, partner=self.partner.code, reference=reference, now=clock.now())

    def _signed(self, message: Mapping[str, object], order: tuple[str, ...]) -> dict[str, object]:
        return messages.signed(message, order, self.partner.keys.current)

    async def _call(self, path: str, message: dict[str, object]) -> httpx.Response:
        return await post(self._http, f"/payment/{path}", message, provider=self.provider, timeout_s=self._timeout_s)
