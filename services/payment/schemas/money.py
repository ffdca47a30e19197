"""Whether we have somebody's money, in words that a citizen understands."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.payment.models import Fee
from services.payment.queries.money import Figures
from services.payment.states import FeeStatus


class Possession(StrEnum):
    """Where the money is."""

    RECEIVED = "received"
    """We have it, and keep it."""
    WAITING = "waiting"
    """An attempt is open, nothing has come yet."""
    NOT_RECEIVED = "not_received"
    BEING_RETURNED = "being_returned"
    """What came is not ours, or no longer; it is on its way back."""
    RETURNED = "returned"
    NOTHING_TO_PAY = "nothing_to_pay"


class MoneyView(BaseModel):
    """What became of the money for one fee, in whole đồng."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    fee_id: UUID
    fee_status: FeeStatus
    amount_vnd: int
    """What is, or was, to be paid."""
    received_vnd: int
    """All that came, whoever sent it how often."""
    kept_vnd: int
    being_refunded_vnd: int
    refunded_vnd: int
    state: Possession
    message: str
    message_vi: str


_WORDS = {
    Possession.RECEIVED: ("We have your money: {kept} đồng.", "Chúng tôi đã nhận được tiền của bạn: {kept} đồng."),
    Possession.WAITING: (
        "We have not got your money yet. If your account was debited, wait 15 minutes: we ask the provider ourselves.",
        "Chúng tôi chưa nhận được tiền của bạn. Nếu tài khoản đã bị trừ, xin chờ 15 phút: hệ thống đang tự kiểm tra.",
    ),
    Possession.NOT_RECEIVED: (
        "We have not got your money. {amount} đồng are to be paid.",
        "Chúng tôi chưa nhận được tiền của bạn. Số tiền phải nộp: {amount} đồng.",
    ),
    Possession.BEING_RETURNED: (
        "We have got {received} đồng and are sending {going} đồng back to you.",
        "Chúng tôi đã nhận {received} đồng và đang hoàn lại cho bạn {going} đồng.",
    ),
    Possession.RETURNED: (
        "We have sent {gone} đồng back to you.",
        "Chúng tôi đã hoàn lại cho bạn {gone} đồng.",
    ),
    Possession.NOTHING_TO_PAY: ("There is nothing to pay.", "Bạn không phải nộp khoản này."),
}
_STILL_DUE = (" {amount} đồng are still to be paid.", " Số tiền còn phải nộp: {amount} đồng.")
_KEPT = (" We keep {kept} đồng for your dossier.", " Số tiền đã nộp cho hồ sơ của bạn: {kept} đồng.")


def money_view(fee: Fee, found: Figures) -> MoneyView:
    """Return figures and words for a fee."""
    state = _possession(FeeStatus(fee.status), found)
    english, vietnamese = _sentences(state, FeeStatus(fee.status), found)
    amounts = {
        "amount": _written(fee.amount_vnd),
        "received": _written(found.received_vnd),
        "kept": _written(found.kept_vnd),
        "going": _written(found.refunding_vnd),
        "gone": _written(found.refunded_vnd),
    }
    return MoneyView(
        fee_id=fee.id,
        fee_status=FeeStatus(fee.status),
        amount_vnd=fee.amount_vnd,
        received_vnd=found.received_vnd,
        kept_vnd=found.kept_vnd,
        being_refunded_vnd=found.refunding_vnd,
        refunded_vnd=found.refunded_vnd,
        state=state,
        message=english.format(**amounts),
        message_vi=vietnamese.format(**amounts),
    )


def _possession(status: FeeStatus, found: Figures) -> Possession:
    if found.refunding_vnd:
        return Possession.BEING_RETURNED
    if found.kept_vnd:
        return Possession.RECEIVED
    if status == FeeStatus.DUE:
        return Possession.WAITING if found.open_since else Possession.NOT_RECEIVED
    return Possession.RETURNED if found.refunded_vnd else Possession.NOTHING_TO_PAY


def _sentences(state: Possession, status: FeeStatus, found: Figures) -> tuple[str, str]:
    words = [_WORDS[state]]
    if state == Possession.BEING_RETURNED and found.kept_vnd:
        words.append(_KEPT)
    if state == Possession.BEING_RETURNED and status == FeeStatus.DUE:
        words.append(_STILL_DUE)
    return "".join(english for english, _ in words), "".join(vietnamese for _, vietnamese in words)


def _written(amount_vnd: int) -> str:
    return f"{amount_vnd:,}".replace(",", ".")
