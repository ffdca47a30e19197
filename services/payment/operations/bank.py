"""Credits on the agencies' accounts: matched by the words of the transfer, else kept until a person decides."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from services.payment import queries
from services.payment.errors import PaymentNotFound
from services.payment.models import BankLine
from services.payment.operations import ledger, money
from services.payment.operations.attempts import ALPHABET, TRANSFER_LENGTH, TRANSFER_PREFIX, check_letter
from services.payment.operations.money import Money
from services.payment.operations.routing import Routing
from services.payment.queries import AttemptKey
from services.payment.states import Outcome, Provider
from shared.ids import new_id
from shared.work import Work

_REFERENCE = re.compile(f"(?={TRANSFER_PREFIX}([{ALPHABET}]{{{TRANSFER_LENGTH}}})([{ALPHABET}]))")
_NO_LETTERS = re.compile(r"[^0-9A-Z]")
PUSH, INQUIRY, FILE = "push", "inquiry", "file"
"""Who told of a line first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One credit as the bank tells it; whole đồng."""

    account_number: str
    transaction_number: str
    booked_at: datetime
    amount_vnd: int
    content: str


@dataclass(frozen=True, slots=True)
class Import:
    """What became of the lines of a statement."""

    lines: int
    known: int
    settled: int
    refunded: int
    unmatched: int


def references(content: str) -> Iterator[str]:
    """Yield the references that the words of a transfer may hold, whatever its bank put around or into them."""
    letters = _NO_LETTERS.sub("", content.upper())
    for found in _REFERENCE.finditer(letters):
        body, letter = found.groups()
        if check_letter(body) == letter:
            yield f"{TRANSFER_PREFIX}{body}{letter}"


async def take_lines(work: Work, *, lines: Sequence[Line], source: str, routing: Routing) -> list[Outcome]:
    """Keep the credits that are new, and let each pay the attempt that its words name.

    A credit that names no attempt of ours waits for a person. Emits the events of `take_money`.
    """
    # All lines first, then the fees: whoever brings one of these lines meanwhile holds its line before its fee, too.
    kept = [await _keep(work, line, source, routing) for line in sorted(lines, key=lambda one: one.transaction_number)]
    return [Outcome.DUPLICATE if line is None else await _match(work, line) for line in kept]


async def import_statement(work: Work, *, lines: Sequence[Line], routing: Routing) -> Import:
    """Take the credits of a statement file and count what became of them. Emits the events of `take_money`."""
    outcomes = Counter(await take_lines(work, lines=lines, source=FILE, routing=routing))
    return Import(
        lines=len(lines),
        known=outcomes[Outcome.DUPLICATE],
        settled=outcomes[Outcome.SETTLED],
        refunded=outcomes[Outcome.REFUND_REQUESTED] + outcomes[Outcome.WRONG_AMOUNT],
        unmatched=outcomes[Outcome.UNMATCHED],
    )


async def assign_line(work: Work, *, line_id: UUID, fee_id: UUID, note: str) -> BankLine:
    """Let a credit that named no attempt pay a fee, as a person found out.

    What does not fit the fee (another amount, paid already) goes back as any other money would. Emits
    payment.payment.initiated.v1 and the events of `take_money`. Raises BankLineNotFound, BankLineDecided, FeeNotFound.
    """
    line = await queries.lock_undecided_line(work.session, line_id, work.caller)
    line.decided_by, line.note = work.caller.client_id, note
    ledger.post_identified(work, _transaction(line))
    payment = await money.pay_by_transfer(work, fee_id=fee_id, money=_money(line))
    line.payment_id = payment.id
    return line


async def return_line(work: Work, *, line_id: UUID, transfer_reference: str, note: str) -> BankLine:
    """Record that a credit nobody could explain was sent back. Raises BankLineNotFound, BankLineDecided."""
    line = await queries.lock_undecided_line(work.session, line_id, work.caller)
    line.decided_by, line.note = work.caller.client_id, note
    line.returned_at, line.transfer_reference = work.now, transfer_reference
    ledger.post_identified(work, _transaction(line))
    return line


async def _keep(work: Work, line: Line, source: str, routing: Routing) -> BankLine | None:
    """Keep a credit; None when it is known."""
    return await work.session.scalar(
        insert(BankLine)
        .values(
            id=new_id(),
            account_number=line.account_number,
            agency_code=routing.agency_of(line.account_number),
            transaction_number=line.transaction_number,
            booked_at=line.booked_at,
            amount_vnd=line.amount_vnd,
            content=line.content,
            source=source,
            recorded_at=work.now,
        )
        .on_conflict_do_nothing()
        .returning(BankLine)
    )


async def _match(work: Work, line: BankLine) -> Outcome:
    for reference in references(line.content):
        attempt = AttemptKey(Provider.VIETQR, reference)
        try:
            outcome = await money.take_money(work, attempt=attempt, money=_money(line))
        except PaymentNotFound:
            continue
        _, payment = await queries.lock_attempt(work.session, attempt)
        line.payment_id = payment.id
        return outcome
    ledger.post_unmatched(work, _transaction(line))
    return Outcome.UNMATCHED


def _money(line: BankLine) -> Money:
    return Money(line.transaction_number, line.amount_vnd, line.booked_at)


def _transaction(line: BankLine) -> ledger.Transaction:
    return ledger.Transaction(
        Provider.VIETQR.value, line.transaction_number, line.agency_code or "", line.amount_vnd, line.booked_at
    )
