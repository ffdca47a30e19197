"""Why payment refuses."""

from shared.errors import DomainError, NotFound


class FeeNotFound(NotFound):
    """No fee has this id."""

    code = "fee_not_found"
    title_vi = "Không tìm thấy khoản phí, lệ phí"


class PaymentNotFound(NotFound):
    """No payment has this id or reference."""

    code = "payment_not_found"
    title_vi = "Không tìm thấy giao dịch thanh toán"


class ReceiptNotFound(NotFound):
    """No receipt has this id."""

    code = "receipt_not_found"
    title_vi = "Không tìm thấy biên lai"


class RefundNotFound(NotFound):
    """No refund has this id."""

    code = "refund_not_found"
    title_vi = "Không tìm thấy khoản hoàn trả"


class FeeNotDue(DomainError):
    """This fee is not due: it was paid, waived or cancelled."""

    code = "fee_not_due"
    status = 409
    title_vi = "Khoản phí, lệ phí này không còn phải nộp"


class TransactionReused(DomainError):
    """The provider reported this transaction for another payment before."""

    code = "transaction_reused"
    status = 409
    title_vi = "Mã giao dịch đã dùng cho thanh toán khác"


class CursorInvalid(DomainError):
    """This cursor was not given out by this list."""

    code = "cursor_invalid"
    status = 422
    title_vi = "Con trỏ trang không hợp lệ"


class BillNotThere(NotFound):
    """The payment platform has no bill for this payment."""

    code = "bill_not_there"
    title_vi = "Nền tảng thanh toán chưa có chứng từ cho giao dịch này"
