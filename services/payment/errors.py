"""Why payment refuses."""

from shared.errors import DomainError, NotFound, Unavailable


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


class ReceiptNotInForce(DomainError):
    """This receipt is not in force: it was cancelled or replaced, or is itself a cancellation."""

    code = "receipt_not_in_force"
    status = 409
    title_vi = "Biên lai không còn hiệu lực hoặc là biên lai hủy"


class IssuingInForce(DomainError):
    """This row is in force: receipts may have been issued by it."""

    code = "issuing_in_force"
    status = 409
    title_vi = "Dữ liệu đã có hiệu lực, không được sửa"


class IssuingNotYours(NotFound):
    """This agency is not yours."""

    code = "issuing_not_yours"
    title_vi = "Không tìm thấy đơn vị"


class ReconciliationNotFound(NotFound):
    """No reconciliation has this id."""

    code = "reconciliation_not_found"
    title_vi = "Không tìm thấy kỳ đối soát"


class DifferenceNotFound(NotFound):
    """No difference has this id."""

    code = "difference_not_found"
    title_vi = "Không tìm thấy chênh lệch đối soát"


class NothingToCompare(DomainError):
    """There is no statement of this day yet."""

    code = "nothing_to_compare"
    status = 409
    title_vi = "Chưa có sao kê để đối soát"


class NothingToRecord(DomainError):
    """This difference is not money that could be recorded."""

    code = "nothing_to_record"
    status = 409
    title_vi = "Chênh lệch này không phải khoản tiền ghi nhận được"


class DifferenceClosed(DomainError):
    """This difference was resolved, or is no longer there."""

    code = "difference_closed"
    status = 409
    title_vi = "Chênh lệch đã được xử lý"


class SecondPersonNeeded(DomainError):
    """Another person than the one who explained it must resolve it."""

    code = "second_person_needed"
    status = 409
    title_vi = "Cần người thứ hai xác nhận"


class ProviderNotAsked(DomainError):
    """This provider cannot be asked: send its statement."""

    code = "provider_not_asked"
    status = 409
    title_vi = "Không hỏi được cổng thanh toán này, hãy gửi tệp sao kê"


class PayoutExceeds(DomainError):
    """The provider holds less than this for the account."""

    code = "payout_exceeds"
    status = 409
    title_vi = "Số tiền chuyển vượt quá số dư tại cổng thanh toán"


class PayoutKnown(DomainError):
    """A transfer with this bank reference was recorded before."""

    code = "payout_known"
    status = 409
    title_vi = "Khoản chuyển này đã được ghi nhận"


class EntryNotFound(NotFound):
    """No entry that a person posted has this number."""

    code = "entry_not_found"
    title_vi = "Không tìm thấy bút toán"


class EntryReversed(DomainError):
    """This entry was taken back before, or is itself a reversal."""

    code = "entry_reversed"
    status = 409
    title_vi = "Bút toán đã được đảo"


class SealMissing(Unavailable):
    """No seal is configured for the issuer of this receipt."""

    code = "seal_missing"
    title_vi = "Chưa cấu hình chữ ký số của cơ quan lập biên lai"


class RefundNotFound(NotFound):
    """No refund has this id."""

    code = "refund_not_found"
    title_vi = "Không tìm thấy khoản hoàn trả"


class FeeNotDue(DomainError):
    """This fee is not due: it was paid, waived or cancelled."""

    code = "fee_not_due"
    status = 409
    title_vi = "Khoản phí, lệ phí này không còn phải nộp"


class AttemptOpen(DomainError):
    """Another attempt to pay this fee is open."""

    code = "attempt_open"
    status = 409
    title_vi = "Đang có một lần thanh toán khác chưa kết thúc cho khoản này"


class ProviderNotOffered(DomainError):
    """This way of paying is not offered for this fee."""

    code = "provider_not_offered"
    status = 409
    title_vi = "Cơ quan thu chưa hỗ trợ hình thức thanh toán này"


class RefundAboveDeposit(DomainError):
    """More would go back than was paid and is still here."""

    code = "refund_above_deposit"
    status = 409
    title_vi = "Số tiền hoàn vượt quá số tiền còn lại đã nộp"


class RefundImpossible(DomainError):
    """Money cannot go back this way."""

    code = "refund_impossible"
    status = 409
    title_vi = "Không thể hoàn tiền theo cách này"


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


class QrNotThere(NotFound):
    """This payment has no QR code: it is not by transfer, or it has ended."""

    code = "qr_not_there"
    title_vi = "Không có mã QR cho lần thanh toán này"


class BankLineNotFound(NotFound):
    """No line of a bank statement has this id."""

    code = "bank_line_not_found"
    title_vi = "Không tìm thấy dòng sao kê"


class BankLineDecided(DomainError):
    """It was decided already what becomes of this line."""

    code = "bank_line_decided"
    status = 409
    title_vi = "Dòng sao kê này đã được xử lý"


class StatementUnreadable(DomainError):
    """This file is no statement that can be read."""

    code = "statement_unreadable"
    status = 422
    title_vi = "Không đọc được tệp sao kê"


class DeskShiftNotFound(NotFound):
    """No shift has this id."""

    code = "desk_shift_not_found"
    title_vi = "Không tìm thấy ca thu tiền"


class DeskShiftOpen(DomainError):
    """This cashier has an open shift here."""

    code = "desk_shift_open"
    status = 409
    title_vi = "Thu ngân đang có ca thu tiền chưa đóng"


class DeskShiftClosed(DomainError):
    """This shift is closed."""

    code = "desk_shift_closed"
    status = 409
    title_vi = "Ca thu tiền đã đóng"


class DifferenceUnexplained(DomainError):
    """The count differs from what must be in the drawer: say why."""

    code = "difference_unexplained"
    status = 409
    title_vi = "Số tiền đếm được lệch với sổ: cần ghi rõ lý do"


class ExemptionNotFound(NotFound):
    """No rule of exemption has this code today."""

    code = "exemption_not_found"
    title_vi = "Không tìm thấy quy định miễn, giảm đang có hiệu lực"


class ExemptionNotApplicable(DomainError):
    """This rule of exemption does not lift this fee."""

    code = "exemption_not_applicable"
    status = 409
    title_vi = "Quy định miễn, giảm không áp dụng cho khoản này"


class ExemptionOverlaps(DomainError):
    """A rule with this code is in force in these days already."""

    code = "exemption_overlaps"
    status = 409
    title_vi = "Quy định miễn, giảm cùng mã đang có hiệu lực trong thời gian này"
