"""Transfers behind the port: the bank that keeps the agencies' accounts tells of credits, by push and when asked.

Both sides sign: `X-Signature` is lower hex of HMAC-SHA256 over the body as it is sent. Times are RFC 3339.

    push, inquiry's answer   {"transaction_number", "account_number", "amount_vnd", "content", "booked_at"}
    POST /inquiry            {"client", "account_number", "content"} → {"transactions": […]}
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import httpx
import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.payment.models import Fee, Payment, Refund
from services.payment.operations.attempts import Link
from services.payment.operations.bank import Line, references
from services.payment.operations.money import Notice
from services.payment.operations.routing import Routing
from services.payment.platform import vietqr
from services.payment.platform.calls import loggable, post
from services.payment.platform.keys import Keys
from services.payment.platform.port import Reading, RefundAnswer, RefundState, Refused, Standing, State, Unclear
from services.payment.states import Outcome, Provider

SIGNATURE = "X-Signature"
BODY, SIGNED = "body", "signature"
"""What `read` is given: the body as it came, in bytes, and its signature."""
Text = Annotated[str, Field(min_length=1, max_length=64)]


class Credit(BaseModel):
    """One credit in the bank's words."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    transaction_number: Text
    account_number: Text
    amount_vnd: Annotated[int, Field(gt=0, lt=10**15)]
    content: Annotated[str, Field(max_length=500)]
    booked_at: AwareDatetime

    def line(self) -> Line:
        """Return it as a line of our own."""
        booked_at: datetime = self.booked_at
        return Line(self.account_number, self.transaction_number, booked_at, self.amount_vnd, self.content)


class Answer(BaseModel):
    """The bank's answer to an inquiry."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    transactions: Annotated[list[Credit], Field(max_length=1000)]


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Bank:
    """The bank as its client sees it."""

    provider = Provider.VIETQR

    def __init__(self, client: str, keys: Keys, routing: Routing, http: httpx.AsyncClient, *, timeout_s: float) -> None:
        self._client = client
        self._keys = keys
        self._routing = routing
        self._http = http
        self._timeout_s = timeout_s

    async def start(self, fee: Fee, payment: Payment) -> Link | Refused:
        """Write the QR code of the transfer; nobody need be asked for it."""
        account = self._routing.account(fee.agency_code)
        if account is None:
            return Refused("no_account")
        return Link(qr_payload=vietqr.payload(account, payment.amount_vnd, payment.reference))

    async def ask(self, payment: Payment) -> Standing | Refused:
        """Ask for the credits whose words name an attempt."""
        account_number = self._account_number(payment)
        if account_number is None:
            return Refused("no_account")
        asked = {"client": self._client, "account_number": account_number, "content": payment.reference}
        signed = {SIGNATURE: sign(orjson.dumps(asked), self._keys.current)}
        answer = await post(
            self._http, "/inquiry", asked, provider=self.provider, timeout_s=self._timeout_s, headers=signed
        )
        if self._key(answer.content, answer.headers.get(SIGNATURE, "")) is None:
            raise Unclear("the answer to the inquiry is not signed by the bank")
        try:
            found = Answer.model_validate_json(answer.content).transactions
        except ValidationError as problem:
            raise Unclear("the answer to the inquiry does not fit its form") from problem
        lines = tuple(credit.line() for credit in found)
        return Standing(State.PAID, lines=lines) if lines else Standing(State.PENDING)

    def read(self, words: Mapping[str, object]) -> Reading:
        """Understand the push of one credit."""
        body, signature = words[BODY], str(words[SIGNED])
        key = self._key(body if isinstance(body, bytes) else b"", signature)
        if key is None:
            return Reading(Notice(self.provider, reference=""), refusal=Outcome.WRONG_HASH)
        try:
            credit = Credit.model_validate_json(body if isinstance(body, bytes) else b"")
        except ValidationError:
            return Reading(Notice(self.provider, reference="", key_used=key), refusal=Outcome.MALFORMED)
        notice = Notice(
            self.provider,
            reference=next(references(credit.content), ""),
            transaction_number=loggable(credit.transaction_number),
            code="00",
            key_used=key,
        )
        return Reading(notice, Standing(State.PAID, lines=(credit.line(),)))

    async def refund(self, refund: Refund, payment: Payment) -> RefundAnswer:
        """Refuse: a transfer back is ordered at the bank by a person."""
        del refund, payment
        return RefundAnswer(RefundState.REFUSED, "unsupported")

    async def bill(self, payment: Payment) -> bytes | Refused:
        """Refuse: a bank gives none."""
        del payment
        return Refused("no_bill")

    def _account_number(self, payment: Payment) -> str | None:
        """Return the account that the attempt's code names, also when the agency has another one by now."""
        if payment.qr_payload:
            return vietqr.read(payment.qr_payload).account_number
        account = self._routing.account(payment.agency_code)
        return account.number if account else None

    def _key(self, body: bytes, signature: str) -> str | None:
        given = signature.encode()
        return self._keys.match(lambda secret: hmac.compare_digest(given, sign(body, secret).encode()))
