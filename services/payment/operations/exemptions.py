"""Exemptions: dated rules of law by which a fee, or a part of it, is not collected, and their application."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from services.payment import queries
from services.payment.errors import ExemptionNotApplicable, ExemptionNotFound, ExemptionOverlaps
from services.payment.models import Exemption, Fee
from services.payment.operations import fees, ledger
from services.payment.operations.attempts import expire_open_attempt
from services.payment.operations.refunds import refund_settled
from services.payment.states import FEE, FeeStatus, RefundReason
from shared.clock import VN
from shared.events.payment import FeeReduced
from shared.events.values import CollectedAt, FeeItem, FeeKind
from shared.ids import new_id
from shared.work import Work


async def add_rule(
    work: Work,
    *,
    code: str,
    name: str,
    legal_basis: str,
    kinds: Collection[FeeKind],
    procedures: Collection[str],
    agency_code: str,
    percent: int,
    valid_from: date,
    valid_to: date | None,
) -> Exemption:
    """Add a rule, or its next version. Raises ExemptionOverlaps (end the one before first), NotFound."""
    if not work.caller.may_see(agency_code):
        raise ExemptionNotFound("There is no such agency.", agency_code=agency_code)
    for other in await queries.lock_rules(work.session, code):
        if other.valid_from <= (valid_to or date.max) and valid_from <= (other.valid_to or date.max):
            raise ExemptionOverlaps(
                f"{code} is in force from {other.valid_from}: end it before the new one begins.", id=other.id
            )
    rule = Exemption(
        id=new_id(),
        code=code,
        name=name,
        legal_basis=legal_basis,
        kinds=[kind.value for kind in kinds],
        procedures=list(procedures),
        agency_code=agency_code,
        percent=percent,
        valid_from=valid_from,
        valid_to=valid_to,
        created_at=work.now,
        created_by=work.caller.client_id,
    )
    work.session.add(rule)
    return rule


async def end_rule(work: Work, *, exemption_id: UUID, valid_to: date) -> Exemption:
    """Set the last day of a rule; what it lifted stays lifted. Raises ExemptionNotFound, ExemptionNotApplicable."""
    rule = await work.session.get(Exemption, exemption_id, with_for_update=True)
    if rule is None or not work.caller.may_see(rule.agency_code):
        raise ExemptionNotFound("There is no such rule.", id=exemption_id)
    if valid_to < rule.valid_from or (rule.valid_to is not None and valid_to > rule.valid_to):
        raise ExemptionNotApplicable("A rule ends after it began, and is never made longer: add a new one.")
    rule.valid_to = valid_to
    return rule


async def exempt_fee(work: Work, *, fee_id: UUID, code: str, evidence: str) -> Fee:
    """Apply a rule to a fee, as it was in force on the day of assessment.

    What is due is waived or, by a rule of less than all, reduced, and an open attempt to pay it expires; of what was
    paid the lifted part goes back. Emits payment.fee.waived.v1 or payment.fee.reduced.v1 (with
    payment.payment.expired.v1) or payment.refund.requested.v1. Raises FeeNotFound, ExemptionNotFound,
    ExemptionNotApplicable.
    """
    fee = await queries.lock_fee(work.session, fee_id, work.caller)
    rule = await queries.get_rule(work.session, code, fee.assessed_at.astimezone(VN).date())
    lifted = _lifted(fee, rule)
    basis = f"{rule.legal_basis} ({rule.code}; {evidence})"
    if fee.status == FeeStatus.PAID:
        settled = next(payment for payment in fee.payments if payment.settles_fee)
        deposit = await queries.lock_deposit(work.session, settled)
        refund_settled(
            work,
            fee,
            settled,
            deposit,
            amount_vnd=sum(lifted),
            reason=RefundReason.EXEMPTED,
            legal_basis=basis,
        )
    elif sum(lifted) == fee.amount_vnd:
        fees.waive(work, fee, basis)
    else:
        _reduce(work, fee, lifted, basis)
    fee.exemption_id, fee.exempted_vnd = rule.id, sum(lifted)
    return fee


def _lifted(fee: Fee, rule: Exemption) -> list[int]:
    """Return what a rule lifts of each item, rounded down to whole đồng. Raises ExemptionNotApplicable."""
    if fee.status not in {FeeStatus.DUE, FeeStatus.PAID}:
        raise ExemptionNotApplicable(f"This fee is {fee.status}.", fee_status=fee.status)
    if fee.exemption_id is not None:
        raise ExemptionNotApplicable("A rule was applied to this fee already.", exemption_id=fee.exemption_id)
    inside = fee.agency_code == rule.agency_code or fee.agency_code.startswith(f"{rule.agency_code}.")
    if not inside or (rule.procedures and fee.procedure_code not in rule.procedures):
        raise ExemptionNotApplicable(f"{rule.code} is not for this procedure or agency.", code=rule.code)
    lifted = [item["amount_vnd"] * rule.percent // 100 if item["kind"] in rule.kinds else 0 for item in fee.items]
    if not sum(lifted):
        raise ExemptionNotApplicable(f"{rule.code} lifts nothing of this fee.", code=rule.code)
    return lifted


def _reduce(work: Work, fee: Fee, lifted: list[int], basis: str) -> None:
    by_kind: dict[str, int] = {}
    for item, amount_vnd in zip(fee.items, lifted, strict=True):
        by_kind[item["kind"]] = by_kind.get(item["kind"], 0) + amount_vnd
    ledger.post_reduced(work, fee, by_kind)
    fee.items = [
        item | {"amount_vnd": item["amount_vnd"] - amount_vnd}
        for item, amount_vnd in zip(fee.items, lifted, strict=True)
    ]
    fee.amount_vnd -= sum(lifted)
    reduced = FeeReduced(
        fee_id=fee.id,
        items=tuple(FeeItem.model_validate(item) for item in fee.items),
        amount_vnd=fee.amount_vnd,
        exempted_vnd=sum(lifted),
        collected=CollectedAt(fee.collected),
        legal_basis=basis,
        reduced_at=work.now,
    )
    work.move(fee, FEE, "reduce", reduced)
    expire_open_attempt(work, fee)
